// Downloading models from servers that misbehave.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/store.h"
#include "models/weights/state_dict.h"
#include "weights/http_server.h"
#include "weights/make_files.h"

namespace disco {
namespace {

using testing::HttpServer;
using testing::Request;
using testing::Response;
using testing::serve_file;

/// A secondary model of a few hundred kilobytes.
const std::string& model_bytes() {
  static const std::string bytes = [] {
    const testing::TemporaryFolder folder;
    save_safetensors(folder / "x", {{"timestep_embed.weight", at::arange(100'000).to(at::kFloat)},
                                    {"net.0.0.weight", at::ones({3})}});
    return read_file(folder / "x");
  }();
  return bytes;
}

CatalogEntry entry_at(const std::vector<std::string>& urls) {
  CatalogEntry entry;
  entry.name = "test/model@1";
  entry.role = "secondary";
  entry.sha256 = sha256(model_bytes());
  entry.urls = urls;
  entry.config = {{"some", "thing"}};
  return entry;
}

class Pull : public ::testing::Test {
 protected:
  fs::path target() const { return folder_ / "model.safetensors"; }
  fs::path partial() const { return folder_ / "model.safetensors.part"; }
  ModelEntry pull(const CatalogEntry& entry, const ModelStore::PullOptions& options = {}) {
    return ModelStore({folder_.path()}).pull(entry, options);
  }
  void expect_model(const ModelEntry& model) const {
    EXPECT_EQ(model.weights, target());
    EXPECT_EQ(read_file(model.weights), model_bytes());
    EXPECT_EQ(model.sha256, sha256(model_bytes()));
    EXPECT_FALSE(fs::exists(partial()));
    const auto found = ModelStore({folder_.path()}).find("test-model-1", "secondary");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "test/model@1");
    EXPECT_EQ(found->config["some"], "thing");
  }
  template <class Fault>
  std::string failure(const CatalogEntry& entry, const ModelStore::PullOptions& options = {}) {
    try {
      pull(entry, options);
      ADD_FAILURE() << "it was downloaded";
    } catch (const Fault& error) {
      return error.what();
    }
    return {};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Pull, AWholeFile) {
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  std::uint64_t done = 0, all = 0;
  ModelStore::PullOptions options;
  options.progress = [&](std::uint64_t now, std::uint64_t total) {
    EXPECT_GE(now, done);
    done = now;
    all = std::max(all, total);
    return true;
  };
  expect_model(pull(entry_at({server.url("/model.safetensors")}), options));
  EXPECT_EQ(done, model_bytes().size());
  EXPECT_EQ(all, model_bytes().size());
  EXPECT_EQ(server.requests().size(), 1u);
  // Once it is there and right, the network is left alone.
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(Pull, AnEditedDescriptionIsLeftAlone) {
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  const CatalogEntry entry = entry_at({server.url("/model.safetensors")});
  pull(entry);
  const fs::path description = folder_ / "test-model-1.model.json";
  nlohmann::json json = nlohmann::json::parse(read_file(description));
  json["config"]["some"] = "thing else";
  write_file(description, json.dump());
  EXPECT_EQ(pull(entry).config["some"], "thing else");
  EXPECT_EQ(nlohmann::json::parse(read_file(description)), json);
}

TEST_F(Pull, GoesOnWithAPartialFile) {
  write_file(partial(), model_bytes().substr(0, 1000));
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].headers.at("range"), "bytes=1000-");
}

TEST_F(Pull, ACompletePartialFileIsTaken) {
  write_file(partial(), model_bytes());
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
}

TEST_F(Pull, ATooLongPartialFileIsStartedOver) {
  write_file(partial(), model_bytes() + "more");
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
}

TEST_F(Pull, APartialFileOfAnotherFileIsStartedOver) {
  write_file(partial(), std::string(1000, 'x'));
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(Pull, RangeIgnored) {
  write_file(partial(), model_bytes().substr(0, 1000));
  const HttpServer server([](const Request&) { return Response{200, model_bytes(), {}}; });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
}

TEST_F(Pull, AnotherRangeThanAskedForIsRefused) {
  write_file(partial(), model_bytes().substr(0, 1000));
  const HttpServer server([](const Request&) { return Response{206, model_bytes(), {"Content-Range: bytes 0-9/10"}}; });
  EXPECT_NE(failure<Error>(entry_at({server.url("/model.safetensors")})).find("another part"), std::string::npos);
  EXPECT_EQ(fs::file_size(partial()), 1000u);
}

TEST_F(Pull, ABrokenConnectionIsTakenUpAgain) {
  std::atomic<int> tries = 0;
  const HttpServer server([&](const Request& request) {
    Response response = serve_file(request, model_bytes());
    if (++tries < 3) response.sent = 100'000;
    return response;
  });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
  EXPECT_EQ(server.requests()[2].headers.at("range"), "bytes=200000-");
}

TEST_F(Pull, ADeadFirstAddress) {
  const HttpServer server([](const Request& request) {
    if (request.path == "/gone/model.safetensors") return Response{404, "no such file", {}};
    if (request.path == "/page/model.safetensors")
      return Response{200, "<html>", {"Content-Type: text/html; charset=utf-8"}};
    return serve_file(request, model_bytes());
  });
  // Port 9 of this machine: nobody answers there.
  expect_model(pull(entry_at({"http://127.0.0.1:9/model.safetensors", server.url("/gone/model.safetensors"),
                              server.url("/page/model.safetensors"), server.url("/there/model.safetensors")})));
}

TEST_F(Pull, RedirectsAreFollowed) {
  const HttpServer server([](const Request& request) {
    if (request.path == "/model.safetensors")
      return Response{302, "<html>moved</html>", {"Location: /elsewhere", "Content-Type: text/html"}};
    return serve_file(request, model_bytes());
  });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
}

TEST_F(Pull, AWrongFileNeverReplacesTheOldOne) {
  write_file(target(), "the old file");
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes() + "x"); });
  const std::string message = failure<Error>(entry_at({server.url("/model.safetensors")}));
  EXPECT_NE(message.find("wrong file"), std::string::npos) << message;
  EXPECT_NE(message.find(sha256(model_bytes())), std::string::npos) << message;
  EXPECT_EQ(read_file(target()), "the old file");
  EXPECT_FALSE(fs::exists(partial())) << "a wrong file would be continued";
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(Pull, ADamagedOldFileIsReplaced) {
  write_file(target(), "the old file");
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  expect_model(pull(entry_at({server.url("/model.safetensors")})));
}

TEST_F(Pull, InterruptedKeepsWhatArrived) {
  const HttpServer server([](const Request& request) {
    Response response = serve_file(request, model_bytes());
    response.sent = 200'000;
    return response;
  });
  ModelStore::PullOptions options;
  options.progress = [](std::uint64_t done, std::uint64_t) { return done < 100'000; };
  failure<Interrupted>(entry_at({server.url("/model.safetensors")}), options);
  ASSERT_TRUE(fs::exists(partial()));
  const std::string kept = read_file(partial());
  EXPECT_GE(kept.size(), 100'000u);
  EXPECT_EQ(kept, model_bytes().substr(0, kept.size()));
  EXPECT_FALSE(fs::exists(target()));
  const HttpServer good([](const Request& request) { return serve_file(request, model_bytes()); });
  expect_model(pull(entry_at({good.url("/model.safetensors")})));
  EXPECT_EQ(good.requests()[0].range_start(), kept.size());
}

TEST_F(Pull, OfflineAsksNobody) {
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  ModelStore::PullOptions options;
  options.offline = true;
  const CatalogEntry entry = entry_at({server.url("/model.safetensors")});
  const std::string message = failure<RequestError>(entry, options);
  EXPECT_NE(message.find("offline"), std::string::npos) << message;
  EXPECT_NE(message.find("disco models add"), std::string::npos) << message;
  EXPECT_TRUE(server.requests().empty());
  pull(entry);
  expect_model(pull(entry, options));
}

TEST_F(Pull, ServersAnswersAreExplained) {
  int status = 0;
  const HttpServer server([&](const Request&) { return Response{status, "", {}}; });
  for (const auto& [code, words] : std::vector<std::pair<int, std::string>>{{403, "does not give this file"},
                                                                            {404, "not there any more"},
                                                                            {429, "too many requests"},
                                                                            {503, "in trouble"}}) {
    status = code;
    const std::string message = failure<Error>(entry_at({server.url("/model.safetensors")}));
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_NE(message.find(std::to_string(code)), std::string::npos) << message;
  }
  EXPECT_NE(failure<Error>(entry_at({"http://127.0.0.1:9/model.safetensors"})).find("cannot be reached"),
            std::string::npos);
  EXPECT_NE(failure<Error>(entry_at({"file:///etc/passwd"})).find("not an address"), std::string::npos);
}

TEST_F(Pull, ShortHashesOfFileNamesAreChecked) {
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  CatalogEntry entry = entry_at({server.url("/net-" + sha256(model_bytes()).substr(0, 8) + ".pt")});
  entry.sha256.clear();
  EXPECT_EQ(pull(entry).sha256, sha256(model_bytes()));
  CatalogEntry wrong = entry_at({server.url("/net-01234567.pt")});
  wrong.sha256.clear();
  EXPECT_NE(failure<Error>(wrong).find("not 01234567"), std::string::npos);
}

TEST_F(Pull, WithoutAHashTheFileMustBeReadable) {
  const HttpServer server([](const Request& request) {
    return serve_file(request, request.path == "/good.safetensors" ? model_bytes() : model_bytes().substr(0, 1000));
  });
  CatalogEntry entry = entry_at({server.url("/bad.safetensors")});
  entry.sha256.clear();
  EXPECT_NE(failure<Error>(entry).find("wrong file"), std::string::npos);
  entry.urls = {server.url("/good.safetensors")};
  EXPECT_EQ(pull(entry).sha256, sha256(model_bytes()));
}

TEST_F(Pull, TwoAtATimeAreKeptApart) {
  std::string inner;
  const HttpServer server([](const Request& request) { return serve_file(request, model_bytes()); });
  const CatalogEntry entry = entry_at({server.url("/model.safetensors")});
  ModelStore::PullOptions options;
  options.progress = [&](std::uint64_t, std::uint64_t) {
    if (inner.empty()) inner = failure<RequestError>(entry);
    return true;
  };
  expect_model(pull(entry, options));
  EXPECT_NE(inner.find("another process"), std::string::npos) << inner;
}

TEST_F(Pull, UnknownNamesGetASuggestion) {
  try {
    ModelStore({folder_.path()}).pull("VitB31", {});
    ADD_FAILURE();
  } catch (const RequestError& error) {
    EXPECT_NE(std::string(error.what()).find("ViTB32"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace disco

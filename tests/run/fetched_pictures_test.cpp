// Pictures that settings name by their address.
#include "run/fetched_pictures.h"

#include "core/error.h"
#include "picture/picture.h"
#include "support.h"
#include "weights/http_server.h"

namespace disco {
namespace {

using testing::HttpServer;
using testing::Request;
using testing::Response;

Picture stripes(int width, int height) {
  Picture picture(width, height, 3);
  for (std::size_t i = 0; i < picture.samples.size(); ++i) picture.samples[i] = static_cast<std::uint8_t>(i * 37);
  return picture;
}

class FetchedPictures : public ::testing::Test {
 protected:
  FetchedPictures() {
    write_picture(place.path() / "a.png", stripes(64, 64));
    write_picture(place.path() / "b.png", stripes(80, 64));
  }

  Response answer(const Request& request) const {
    if (request.path == "/a.png") return {200, read_file(place.path() / "a.png"), {}};
    if (request.path == "/b.png") return {200, read_file(place.path() / "b.png"), {}};
    if (request.path == "/text.png") return {200, "no picture", {}};
    if (request.path == "/huge.png") return {200, std::string(65ull << 20, 'x'), {}};
    return {404, {}, {}};
  }
  Settings fetched(Settings settings) const {
    return with_fetched_pictures(std::move(settings), inputs(), nullptr, [](const std::string&) {});
  }
  fs::path inputs() const { return place.path() / "out" / "inputs"; }
  std::string refusal(const std::string& address) const {
    Settings settings = quick_settings().settings;
    settings.init_image = address;
    try {
      fetched(settings);
    } catch (const RequestError& error) {
      return error.what();
    }
    return "nothing was refused";
  }

  TemporaryFolder place;
  HttpServer server{[this](const Request& request) { return answer(request); }};
};

TEST_F(FetchedPictures, LieBesideTheRunAndAreAskedForOnce) {
  Settings settings = quick_settings().settings;
  settings.init_image = server.url("/a.png");
  settings.image_prompts[0] = {parse_prompt(server.url("/b.png") + ":3")};
  for (int time = 0; time < 2; ++time) {
    const Settings local = fetched(settings);
    EXPECT_EQ(read_picture(local.init_image).samples, stripes(64, 64).samples);
    EXPECT_EQ(read_picture(local.image_prompts.at(0)[0].text).samples, stripes(80, 64).samples);
    EXPECT_EQ(fs::path(local.init_image).parent_path(), inputs());
  }
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(FetchedPictures, NothingIsTouchedWithoutAnAddress) {
  Settings settings = quick_settings().settings;
  settings.init_image = "a.png";
  EXPECT_EQ(fetched(settings).init_image, "a.png");
  EXPECT_FALSE(fs::exists(inputs()));
}

TEST_F(FetchedPictures, ARefusalNamesTheSettingAndLeavesNothing) {
  for (const char* path : {"/gone.png", "/text.png", "/huge.png"}) {
    const std::string told = refusal(server.url(path));
    EXPECT_NE(told.find("init_image: the picture " + server.url(path)), std::string::npos) << told;
    EXPECT_FALSE(fs::exists(inputs())) << path;
  }
  EXPECT_NE(refusal(server.url("/huge.png")).find("larger than 64 MiB"), std::string::npos);
  EXPECT_NE(refusal("http://127.0.0.1:9/a.png").find("cannot be reached"), std::string::npos);
}

TEST_F(FetchedPictures, AMaskOfAnotherSizeIsFoundOut) {
  Settings settings = quick_settings().settings;
  settings.init_image = server.url("/a.png");
  settings.inpaint_mask = server.url("/b.png");
  EXPECT_THROW(fetched(settings), RequestError);
}

TEST_F(FetchedPictures, ARunDrawsFromThem) {
  const auto draw = [&](const std::string& init) {
    const TemporaryFolder out;
    Recorder listener;
    const auto settings = quick_settings({{"init_image", init}, {"skip_steps", 3}});
    return read_picture(make_engine()->run(request_in(out.path(), settings), listener).pictures.at(0)).samples;
  };
  EXPECT_EQ(draw(server.url("/a.png")), draw((place.path() / "a.png").string()));
}

}  // namespace
}  // namespace disco

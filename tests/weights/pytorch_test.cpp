// PyTorch's formats, with files made to be odd or wrong.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/weights/state_dict.h"
#include "weights/make_files.h"

namespace disco {
namespace {

using testing::floats;
using testing::pytorch_legacy;
using testing::pytorch_zip;
namespace pickle = testing::pickle;

const std::string four = floats({1, 2, 3, 4});

std::string four_floats(const std::string& key = "0") {
  return pickle::tensor(pickle::storage("FloatStorage", key, 4), 0, {4}, {1});
}

StateDict load_bytes(const std::string& bytes) {
  const testing::TemporaryFolder folder;
  return load_weights(testing::write_to(folder, "x.pt", bytes));
}

void expect_refused(const std::string& bytes, const std::string& reason) {
  try {
    load_bytes(bytes);
    ADD_FAILURE() << "loaded, though " << reason;
  } catch (const FormatError& error) {
    EXPECT_NE(error.problem().find(reason), std::string::npos) << error.what();
    EXPECT_NE(error.where().find("x.pt"), std::string::npos) << error.what();
  }
}

std::vector<std::string> names(const StateDict& tensors) {
  std::vector<std::string> found;
  for (const auto& [name, tensor] : tensors) found.push_back(name);
  return found;
}

using Names = std::vector<std::string>;

TEST(PyTorch, NestedDictionariesAreUnwrapped) {
  const std::string state = pickle::dict({{"a.weight", four_floats()}});
  for (const char* key : {"state_dict", "model", "params_ema", "anything"}) {
    const StateDict tensors =
        load_bytes(pytorch_zip(pickle::dict({{"epoch", pickle::number(3)}, {key, state}}), {four}));
    EXPECT_EQ(names(tensors), Names{"a.weight"}) << key;
  }
  const std::string both = pickle::dict({{"params", pickle::dict({{"old", four_floats()}})}, {"params_ema", state}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(both, {four}))), Names{"a.weight"});
  const std::string deep = pickle::dict({{"model", pickle::dict({{"state_dict", state}})}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(deep, {four}))), Names{"a.weight"});
  const std::string two = pickle::dict({{"g", state}, {"d", state}, {"optimizer", state}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(two, {four}))), (Names{"d.a.weight", "g.a.weight"}));
}

TEST(PyTorch, WrapperPrefixesAreRemovedOnlyWhenCommon) {
  const std::string all = pickle::dict({{"module._orig_mod.a", four_floats()}, {"module._orig_mod.b", four_floats()}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(all, {four}))), (Names{"a", "b"}));
  const std::string some = pickle::dict({{"module.a", four_floats()}, {"b", four_floats()}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(some, {four}))), (Names{"b", "module.a"}));
}

TEST(PyTorch, PlainValuesBecomeMetadata) {
  const testing::TemporaryFolder folder;
  const std::string root = pickle::dict({{"epoch", pickle::number(32)},
                                         {"name", pickle::text("vit")},
                                         {"lr", "G\x3f\xe0\0\0\0\0\0\0"},
                                         {"state_dict", pickle::dict({{"a", four_floats()}})}});
  std::string code = root;
  // The literal above ends at its first zero byte; put the double's zeros in.
  code.replace(code.find("G\x3f\xe0") + 3, 0, std::string(6, '\0'));
  const WeightsInfo info = inspect_weights(testing::write_to(folder, "x.pt", pytorch_zip(code, {four})));
  EXPECT_EQ(info.metadata.at("epoch"), "32");
  EXPECT_EQ(info.metadata.at("name"), "vit");
  EXPECT_EQ(info.metadata.at("lr"), "0.5");
  EXPECT_EQ(info.metadata.at("unwrapped"), "state_dict");
}

TEST(PyTorch, PickledModulesGiveTheirStateDict) {
  const auto module = [](const std::string& parameters, const std::string& buffers, const std::string& modules,
                         const std::string& passing) {
    return pickle::object(pickle::global("some.package", "Net"),
                          pickle::dict({{"training", "\x89"},
                                        {"_parameters", parameters},
                                        {"_buffers", buffers},
                                        {"_non_persistent_buffers_set",
                                         pickle::call(pickle::global("__builtin__", "set"), {"](" + passing + "e"})},
                                        {"_modules", modules}}));
  };
  const std::string inner = module(pickle::dict({{"weight", four_floats()}, {"bias", "N"}}),
                                   pickle::dict({{"mean", four_floats()}}), "}", "");
  const std::string outer =
      module("}", pickle::dict({{"cache", four_floats()}}), pickle::dict({{"0", inner}}), pickle::text("cache"));
  EXPECT_EQ(names(load_bytes(pytorch_zip(outer, {four}))), (Names{"0.mean", "0.weight"}));
}

TEST(PyTorch, HarmlessValuesAreIgnored) {
  const std::string date = pickle::call(pickle::global("datetime", "datetime"), {"C\x02"
                                                                                 "ab"});
  const std::string options =
      pickle::object(pickle::global("argparse", "Namespace"), pickle::dict({{"lr", pickle::number(1)}}));
  const std::string scalar =
      pickle::call(pickle::global("numpy.core.multiarray", "scalar"),
                   {pickle::call(pickle::global("numpy", "dtype"), {pickle::text("f8"), "\x89", "\x88"}), "C\x01x"});
  const std::string unknown_name = pickle::global("os", "system");
  const std::string root = pickle::dict({{"when", date},
                                         {"args", options},
                                         {"best", scalar},
                                         {"name only", unknown_name},
                                         {"state_dict", pickle::dict({{"a", four_floats()}})}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(root, {four}))), Names{"a"});
}

TEST(PyTorch, UnknownCallsAreRefused) {
  const auto evil = [](const std::string& code) { return pickle::dict({{"x", code}, {"a", four_floats()}}); };
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"os", "system"},
                                                        {"builtins", "eval"},
                                                        {"__builtin__", "getattr"},
                                                        {"torch", "load"},
                                                        {"torch.hub", "load"},
                                                        {"torch.storage", "_load_from_bytes"},
                                                        {"some.package", "Thing"},
                                                        {"torch._utils", "_rebuild_sparse_tensor"}}) {
    const std::string code = evil(pickle::call(pickle::global(module, name), {pickle::text("echo")}));
    expect_refused(pytorch_zip(code, {four}), module + "." + name);
    expect_refused(pytorch_legacy(code, {four}, 4), module + "." + name);
  }
  // Through the one call that itself names a call.
  expect_refused(
      pytorch_zip(evil(pickle::call(pickle::global("torch._tensor", "_rebuild_from_type_v2"),
                                    {pickle::global("os", "system"), "N", pickle::tuple({pickle::text("echo")}), "N"})),
                  {four}),
      "os.system");
  const std::string itself = pickle::global("torch._tensor", "_rebuild_from_type_v2");
  expect_refused(pytorch_zip(evil(pickle::call(itself, {itself, "N", ")", "N"})), {four}), "call itself");
  // Calling what is no name at all.
  expect_refused(pytorch_zip(evil(pickle::text("x") + ")R"), {four}), "calls a text");
  // Opcodes that call without REDUCE, or reach outside of the file.
  expect_refused(pytorch_zip(evil("(" + pickle::text("echo") + "ios\nsystem\n"), {four}), "opcode 0x69");
  expect_refused(pytorch_zip(evil("(" + pickle::global("os", "system") + pickle::text("echo") + "o"), {four}),
                 "opcode 0x6f");
  expect_refused(pytorch_zip(evil("\x82\x01"), {four}), "opcode 0x82");
}

TEST(PyTorch, InstancesOfUnknownClassesDoNothing) {
  // Here this is a record of a name; nothing is looked up.
  const std::string root =
      pickle::dict({{"x", pickle::object(pickle::global("os", "system"), "N")}, {"a", four_floats()}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(root, {four}))), Names{"a"});
}

TEST(PyTorch, ParametersAndSubclassesAreTensors) {
  const std::string parameter =
      pickle::call(pickle::global("torch._utils", "_rebuild_parameter"), {four_floats(), "\x88", "}"});
  const std::string typed = pickle::call(
      pickle::global("torch._utils", "_rebuild_tensor_v3"),
      {pickle::tuple({pickle::text("storage"), pickle::global("torch.storage", "UntypedStorage"), pickle::text("0"),
                      pickle::text("cpu"), pickle::number(16)}) +
           "Q",
       pickle::number(1), pickle::numbers({3}), pickle::numbers({1}), "\x89", "}", pickle::global("torch", "int32")});
  const std::string wrapped =
      pickle::call(pickle::global("torch._tensor", "_rebuild_from_type_v2"),
                   {pickle::global("torch._utils", "_rebuild_tensor_v2"), pickle::global("a", "B"),
                    pickle::tuple({pickle::storage("FloatStorage", "0", 4), pickle::number(2), pickle::numbers({2}),
                                   pickle::numbers({1}), "\x89", "}"}),
                    "}"});
  const StateDict tensors =
      load_bytes(pytorch_zip(pickle::dict({{"p", parameter}, {"t", typed}, {"w", wrapped}}), {four}));
  EXPECT_TRUE(at::equal(tensors.at("p"), at::tensor({1.f, 2.f, 3.f, 4.f})));
  EXPECT_EQ(tensors.at("t").scalar_type(), at::kInt);
  EXPECT_EQ(tensors.at("t")[0].item<int>(), std::bit_cast<int>(2.f));
  EXPECT_TRUE(at::equal(tensors.at("w"), at::tensor({3.f, 4.f})));
}

TEST(PyTorch, LyingTensorsAreRefused) {
  const auto with = [](std::int64_t count, std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
    return pickle::dict({{"a", pickle::tensor(pickle::storage("FloatStorage", "0", count), offset, shape, strides)}});
  };
  constexpr std::int64_t huge = INT64_MAX;
  const std::vector<std::pair<std::string, std::string>> lies = {
      {with(4, 0, {5}, {1}), "leaves its storage"},
      {with(4, 1, {4}, {1}), "leaves its storage"},
      {with(4, -1, {4}, {1}), "impossible sizes"},
      {with(4, 0, {-4}, {1}), "impossible sizes"},
      {with(4, 3, {4}, {-1}), "impossible sizes"},
      {with(4, 0, {4}, {1, 1}), "impossible sizes"},
      {with(4, 0, {2, 2}, {huge, huge}), "impossible sizes"},
      {with(4, 0, {huge, huge}, {1, 1}), "impossible sizes"},
      {with(4, huge, {1}, {1}), "leaves its storage"},
      {with(4, 0, {1 << 30, 1 << 30}, {0, 0}), "larger than the file"},
      {with(4, 0, std::vector<std::int64_t>(17, 1), std::vector<std::int64_t>(17, 1)), "list of sizes"},
      {with(8, 0, {8}, {1}), "needs"},
      {with(huge, 0, {4}, {1}), "impossible size"},
      {with(-1, 0, {4}, {1}), "does not name a storage"},
      {pickle::dict({{"a", pickle::tensor(pickle::storage("QInt8Storage", "0", 4), 0, {4}, {1})}}), "QInt8Storage"},
      {pickle::dict({{"a", pickle::tensor(pickle::storage("FloatStorage", "7", 4), 0, {4}, {1})}}), "does not hold it"},
      {pickle::dict({{"a", pickle::call(pickle::global("torch._utils", "_rebuild_tensor_v2"), {pickle::number(1)})}}),
       "not a storage"},
  };
  for (const auto& [code, reason] : lies) {
    if (reason == "needs")
      expect_refused(pytorch_zip(code, {four}), "its tensors need 32");
    else
      expect_refused(pytorch_zip(code, {four}), reason);
  }
}

TEST(PyTorch, EmptyAndExpandedTensors) {
  const std::string root =
      pickle::dict({{"empty", pickle::tensor(pickle::storage("FloatStorage", "0", 4), 4, {0, 3}, {3, 1})},
                    {"expanded", pickle::tensor(pickle::storage("FloatStorage", "0", 4), 1, {2, 3}, {1, 0})}});
  const StateDict tensors = load_bytes(pytorch_zip(root, {four}));
  EXPECT_EQ(tensors.at("empty").numel(), 0);
  EXPECT_TRUE(at::equal(tensors.at("expanded"), at::tensor({2.f, 2.f, 2.f, 3.f, 3.f, 3.f}).reshape({2, 3})));
}

TEST(PyTorch, LegacyViewsOfStorages) {
  const std::string view = pickle::tuple({pickle::text("v"), pickle::number(1), pickle::number(2)});
  const auto root = [&](std::int64_t offset) {
    return pickle::dict({{"a", pickle::tensor(pickle::storage("FloatStorage", "0", 4, view), offset, {1}, {1})}});
  };
  EXPECT_EQ(load_bytes(pytorch_legacy(root(1), {four}, 4)).at("a").item<float>(), 3.f);
  expect_refused(pytorch_legacy(root(2), {four}, 4), "leaves its storage");
  const std::string outside = pickle::tuple({pickle::text("v"), pickle::number(3), pickle::number(2)});
  expect_refused(
      pytorch_legacy(
          pickle::dict({{"a", pickle::tensor(pickle::storage("FloatStorage", "0", 4, outside), 0, {1}, {1})}}), {four},
          4),
      "leaves the storage");
}

TEST(PyTorch, LegacyFilesThatLie) {
  const std::string good = pytorch_legacy(pickle::dict({{"a", four_floats()}}), {four}, 4);
  EXPECT_EQ(load_bytes(good).size(), 1u);
  std::string huge = good;
  huge.replace(huge.size() - 24, 8, testing::raw<std::uint64_t>(~0ull / 4));
  expect_refused(huge, "claims");
  std::string fewer = good;
  fewer.replace(fewer.size() - 24, 8, testing::raw<std::uint64_t>(3));
  expect_refused(fewer, "its tensors need 16");
  expect_refused(pytorch_legacy(pickle::dict({{"a", four_floats()}}), {four, four}, 4), "no tensor names");
  expect_refused(pytorch_legacy(pickle::dict({{"a", four_floats("1")}}), {}, 4), "storage 1 is missing");
  expect_refused(pickle::whole(pickle::dict({{"a", pickle::number(1)}})), "not a PyTorch file");
}

TEST(PyTorch, TorchScriptNamesAreTheAttributes) {
  const std::string inner = pickle::object(pickle::global("__torch__.torch.nn", "Linear"),
                                           pickle::dict({{"weight", four_floats()}, {"training", "\x89"}}));
  const std::string root =
      pickle::object(pickle::global("__torch__", "Net"),
                     pickle::dict({{"scale", four_floats()}, {"fc", inner}, {"_is_full_backward_hook", "N"}}));
  const std::string bytes = testing::zip({{"net/data.pkl", pickle::whole(root)},
                                          {"net/data/0", four},
                                          {"net/constants.pkl", pickle::whole(")")},
                                          {"net/code/__torch__.py", "import os"}});
  EXPECT_EQ(names(load_bytes(bytes)), (Names{"fc.weight", "scale"}));
}

TEST(Zip, DeflatedAndZip64EntriesAreRead) {
  const std::string code = pickle::whole(pickle::dict({{"a", four_floats()}}));
  for (const bool deflated : {false, true}) {
    for (const bool zip64 : {false, true}) {
      const std::string bytes =
          testing::zip({{"x/data.pkl", code, deflated, zip64}, {"x/data/0", four, deflated, zip64}}, zip64);
      EXPECT_TRUE(at::equal(load_bytes(bytes).at("a"), at::tensor({1.f, 2.f, 3.f, 4.f}))) << deflated << zip64;
    }
  }
}

TEST(Zip, LiesAreRefused) {
  const std::string code = pickle::whole(pickle::dict({{"a", four_floats()}}));
  const auto with = [&](testing::ZipEntry data) { return testing::zip({{"x/data.pkl", code}, std::move(data)}); };
  expect_refused(with({"x/data/0", four, false, false, 1}), "sizes differ");
  expect_refused(with({"x/data/0", four, true, false, 1}), "damaged");
  expect_refused(with({"x/data/0", four, true, false, -1}), "damaged");
  expect_refused(with({"x/data/0", four, true, false, 1 << 30}), "too much for this file");
  expect_refused(with({"x/data/0", four, true, true, std::int64_t{1} << 60}), "too much for this file");
  expect_refused(with({"x/data.pkl", four}), "twice");
  expect_refused(testing::zip({{"x/readme.txt", four}}), "no data.pkl");
  expect_refused(testing::zip({{"x/data.pkl", code}, {"x/byteorder", "big"}, {"x/data/0", four}}), "big-endian");
  // A bomb: a megabyte of zeros thirty times over in a small file.
  std::vector<testing::ZipEntry> entries;
  std::string items;
  for (int i = 0; i < 30; ++i) {
    entries.push_back({"x/data/" + std::to_string(i), std::string(1 << 20, '\0'), true});
    items += pickle::text(std::to_string(i)) +
             pickle::tensor(pickle::storage("ByteStorage", std::to_string(i), 1 << 20), 0, {1}, {1});
  }
  entries.push_back({"x/data.pkl", pickle::whole("}(" + items + "u")});
  expect_refused(testing::zip(entries), "too much for this file");
}

TEST(Pickle, MalformedCodeIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"R", "takes more values"},
                                                                  {"t", "misses a mark"},
                                                                  {"h\x05", "memo 5"},
                                                                  {"\x80\x09", "protocol 9"},
                                                                  {"Na", "takes more values"},
                                                                  {"NNa", "appends to None"},
                                                                  {"N(NNu", "sets items of None"},
                                                                  {"}(Nu", "key without a value"},
                                                                  {"NNb", "state to None"},
                                                                  {"NQ", "not a tuple"},
                                                                  {"N)\x81", "instance of None"},
                                                                  {"NN\x93", "not a text"},
                                                                  {"X\xff\xff\xff\xff", "ends too early"},
                                                                  {"\x8d" + std::string(8, '\xff'), "ends too early"},
                                                                  {"", "no tensors"}};
  for (const auto& [code, reason] : cases) {
    expect_refused(pytorch_zip(code.empty() ? "}" : code, {}), reason);
  }
}

TEST(Pickle, NestingAndCyclesEnd) {
  std::string deep = four_floats();
  for (int i = 0; i < 100'000; ++i) deep += "\x85";
  expect_refused(pytorch_zip(deep, {four}), "nested too deeply");
  // A list that holds itself, beside a tensor.
  const std::string cycle = pickle::dict({{"loop",
                                           "]q\x01h\x01"
                                           "a"},
                                          {"a", four_floats()}});
  EXPECT_EQ(names(load_bytes(pytorch_zip(cycle, {four}))), Names{"a"});
  // A dictionary of two references to one like it, and so on: 2^60 paths to one tensor.
  std::string doubled = pickle::dict({{"t", four_floats()}});
  for (int i = 0; i < 60; ++i)
    doubled += std::string("q\x01") + "0}(" + pickle::text("a") + "h\x01" + pickle::text("b") + "h\x01u";
  expect_refused(pytorch_zip(doubled, {four}), "too long");
}

TEST(Pickle, AModuleThatIsItsOwnPartEnds) {
  const std::string itself = "h\x05";
  const std::string code = pickle::global("a", "Net") + ")\x81" + std::string("q\x05") +
                           pickle::dict({{"_parameters", itself}, {"_buffers", itself}, {"_modules", itself}}) + "b";
  expect_refused(pytorch_zip(code, {four}), "");
}

TEST(Pickle, ALongKeyUsedAgainAndAgainCountsAsWork) {
  std::string state = "}(" + pickle::text(std::string(1000, 'k')) + "q\x02" + "N";
  for (int i = 0; i < 50'000; ++i) state += "h\x02N";
  std::string code = "](" + state + "uq\x01" + pickle::global("a", "B") + "q\x03";
  for (int i = 0; i < 10; ++i)
    code +=
        "h\x03)\x81h\x01"
        "b";
  expect_refused(pytorch_zip(code + four_floats() + "e", {four}), "too entangled");
}

TEST(Pickle, ManyObjectsOfOneLongStateEnd) {
  std::string state = "}(";
  for (int i = 0; i < 2000; ++i) state += pickle::text("key" + std::to_string(i)) + "N";
  std::string code = "](" + state + "uq\x01" + pickle::global("a", "B") + "q\x02";
  for (int i = 0; i < 30'000; ++i)
    code +=
        "h\x02)\x81h\x01"
        "b";
  expect_refused(pytorch_zip(code + four_floats() + "e", {four}), "too entangled");
}

TEST(Pickle, MemoryStaysBounded) {
  expect_refused(pytorch_zip(std::string(5'000'000, 'N'), {}), "too many values");
  expect_refused(pytorch_zip("N" + std::string(9'000'000, '2'), {}), "grows too large");
  // A list of 1000 copied a million times over.
  std::string copies = "](" + std::string(1000, 'N') + "eq\x01";
  for (int i = 0; i < 20'000; ++i) copies += "c__builtin__\nset\nh\x01\x85R0";
  expect_refused(pytorch_zip(copies, {}), "copies too much");
}

}  // namespace
}  // namespace disco

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"
#include "models/weights/state_dict.h"
#include "weights/make_files.h"

namespace disco {
namespace {

using testing::floats;
using testing::safetensors;

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

void expect_refused(const std::string& bytes, const std::string& reason) {
  const testing::TemporaryFolder folder;
  const fs::path path = testing::write_to(folder, "x.safetensors", bytes);
  try {
    load_weights(path);
    ADD_FAILURE() << "loaded, though " << reason;
  } catch (const FormatError& error) {
    EXPECT_NE(error.problem().find(reason), std::string::npos) << error.what();
    EXPECT_NE(error.where().find("x.safetensors"), std::string::npos) << error.what();
  }
}

TEST(Safetensors, SavedIsLoadedAgain) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder / "new/folder/x.safetensors";
  at::manual_seed(1);
  const StateDict tensors = {{"a.f32", at::randn({3, 5})},
                             {"b.f16", at::randn({7}).to(at::kHalf)},
                             {"c.bf16", at::randn({2, 2}).to(at::kBFloat16)},
                             {"d.f64", at::randn({4}, at::kDouble)},
                             {"e.i64", at::arange(5)},
                             {"f.bool", at::rand({9}) > .5},
                             {"g.u8", at::arange(3).to(at::kByte)},
                             {"h.empty", at::empty({0, 4})},
                             {"i.scalar", at::scalar_tensor(2.5)},
                             {"j.strided", at::randn({4, 6}).t()},
                             {"k.f8", at::randn({3}).to(at::kFloat8_e4m3fn)},
                             {"l ü \"quoted\"", at::ones({2})}};
  save_safetensors(path, tensors, {{"format", "pt"}, {"note", "a \"b\""}});
  const StateDict loaded = load_weights(path);
  ASSERT_EQ(loaded.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    ASSERT_TRUE(loaded.contains(name)) << name;
    EXPECT_EQ(loaded.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(loaded.at(name).sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(at::equal(loaded.at(name).to(at::kDouble), tensor.to(at::kDouble))) << name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(loaded.at(name).const_data_ptr()) % tensor.element_size(), 0u) << name;
  }
  const WeightsInfo info = inspect_weights(path);
  EXPECT_EQ(info.format, "safetensors");
  EXPECT_EQ(info.metadata.at("note"), "a \"b\"");
  EXPECT_EQ(info.tensors.size(), tensors.size());
}

TEST(Safetensors, DataBeginsAligned) {
  const testing::TemporaryFolder folder;
  save_safetensors(folder / "x.safetensors", {{"a", at::ones({3})}});
  const std::string bytes = read_file(folder / "x.safetensors");
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ((header + 8) % 64, 0u);
  EXPECT_EQ(bytes.size(), header + 8 + 12);
}

TEST(Safetensors, WhatTheFormatCannotHoldIsRefused) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(save_safetensors(folder / "x", {{"c", at::ones({2}, at::kComplexDouble)}}), Error);
  EXPECT_THROW(save_safetensors(folder / "x", {{"__metadata__", at::ones({2})}}), Error);
  EXPECT_FALSE(fs::exists(folder / "x"));
}

TEST(Safetensors, LyingHeadersAreRefused) {
  const std::string data = floats({1, 2, 3, 4});
  expect_refused("", "empty");
  expect_refused(testing::raw<std::uint64_t>(1000) + "{}", "claims 1000 bytes");
  expect_refused(testing::raw<std::uint64_t>(~0ull) + "{}", "the header claims");
  expect_refused(safetensors("{\"a\":", data), "not JSON");
  expect_refused(safetensors("{\"a\":3}", data), "missing");
  expect_refused(safetensors("{" + entry("a", "F31", "[4]", "[0,16]") + "}", data), "dtype");
  expect_refused(safetensors("{" + entry("a", "F32", "[5]", "[0,16]") + "}", data), "does not match");
  expect_refused(safetensors("{" + entry("a", "F32", "[4]", "[0,20]") + "}", data), "holds 16 bytes");
  expect_refused(safetensors("{" + entry("a", "F32", "[4]", "[16,0]") + "}", data), "holds 16 bytes");
  expect_refused(safetensors("{" + entry("a", "F32", "[-4]", "[0,16]") + "}", data), "list of sizes");
  expect_refused(safetensors("{" + entry("a", "F32", "[4.0]", "[0,16]") + "}", data), "list of sizes");
  expect_refused(safetensors("{" + entry("a", "F32", "[4]", "[0,16,32]") + "}", data), "two numbers");
  expect_refused(safetensors("{\"__metadata__\":{\"a\":1}," + entry("a", "F32", "[4]", "[0,16]") + "}", data),
                 "not a text");
  expect_refused(safetensors("{\"a\":[[[[[[[[[[1]]]]]]]]]]}", data), "nested too deeply");
}

TEST(Safetensors, OverflowingShapesAreRefused) {
  const std::string data = floats({1, 2, 3, 4});
  // 2^62 · 4 elements are 0 in 64 bits; 2^60 · 16 + 4 elements are 4.
  expect_refused(safetensors("{" + entry("a", "F32", "[4611686018427387904,4]", "[0,0]") + "," +
                                 entry("b", "F32", "[4]", "[0,16]") + "}",
                             data),
                 "does not match");
  expect_refused(safetensors("{" + entry("a", "F32", "[4611686018427387908]", "[0,16]") + "}", data), "does not match");
  expect_refused(safetensors("{" + entry("a", "F32", "[18446744073709551615]", "[0,16]") + "}", data), "list of sizes");
  expect_refused(safetensors("{" + entry("a", "F32", "[99999999999999999999]", "[0,16]") + "}", data), "list of sizes");
  expect_refused(safetensors("{" + entry("a", "F32", "[0,9223372036854775807,9223372036854775807]", "[0,0]") + "," +
                                 entry("b", "F32", "[4]", "[0,16]") + "}",
                             data),
                 "does not match");
}

TEST(Safetensors, OverlapsHolesAndLeftoversAreRefused) {
  const std::string data = floats({1, 2, 3, 4});
  const auto two = [&](const std::string& a, const std::string& b) {
    return safetensors("{" + entry("a", "F32", "[2]", a) + "," + entry("b", "F32", "[2]", b) + "}", data);
  };
  expect_refused(two("[0,8]", "[0,8]"), "before the end");
  expect_refused(two("[0,8]", "[4,12]"), "before the end");
  expect_refused(safetensors("{" + entry("b", "F32", "[2]", "[8,16]") + "}", data), "after the end");
  expect_refused(safetensors("{" + entry("a", "F32", "[2]", "[0,8]") + "}", data),
                 "take 8 bytes, but the file holds 16");
  expect_refused(
      safetensors("{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("a", "F32", "[2]", "[8,16]") + "}", data),
      "listed twice");
}

TEST(Safetensors, UnalignedTensorsAreCopied) {
  const testing::TemporaryFolder folder;
  const std::string data = std::string("\x01") + floats({1.5f, -2.f}) + floats({3});
  const std::string header = "{" + entry("a", "U8", "[1]", "[0,1]") + "," + entry("b", "F32", "[2]", "[1,9]") + "," +
                             entry("c", "F32", "[]", "[9,13]") + "}";
  const StateDict tensors = load_weights(testing::write_to(folder, "x", safetensors(header, data)));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensors.at("b").const_data_ptr()) % 4, 0u);
  EXPECT_TRUE(at::equal(tensors.at("b"), at::tensor({1.5f, -2.f})));
  EXPECT_EQ(tensors.at("c").item<float>(), 3.f);
}

TEST(Safetensors, FalseTruthValuesAreRefused) {
  expect_refused(safetensors("{" + entry("a", "BOOL", "[2]", "[0,2]") + "}", std::string("\x01\x07", 2)),
                 "truth values");
}

TEST(Safetensors, TensorsOutliveTheLoading) {
  const testing::TemporaryFolder folder;
  save_safetensors(folder / "x", {{"a", at::arange(1000)}, {"b", at::ones({10})}});
  at::Tensor view = load_weights(folder / "x").at("a").slice(0, 10, 20);
  fs::remove(folder / "x");
  EXPECT_EQ(view.sum().item<std::int64_t>(), 145);
}

/// Peak resident memory since the last reset, in bytes.
std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

/// How far the peak of resident memory rises when a sparse file of `bytes` bytes of data is loaded, and then summed.
std::pair<std::uint64_t, std::uint64_t> memory_taken(std::uint64_t bytes, bool aligned) {
  const testing::TemporaryFolder folder(testing::TemporaryFolder::Place::disk);
  std::string header =
      "{" + entry("a", "F32", "[" + std::to_string(bytes / 4) + "]", "[0," + std::to_string(bytes) + "]") + "}";
  while ((header.size() % 4 == 0) != aligned) header += ' ';
  const fs::path path = testing::write_to(folder, "large.safetensors", safetensors(header, ""));
  fs::resize_file(path, fs::file_size(path) + bytes);
  std::ofstream("/proc/self/clear_refs") << "5";  // Resets the peak.
  const std::uint64_t before = peak_memory();
  const StateDict tensors = load_weights(path);
  const std::uint64_t loaded = peak_memory();
  EXPECT_EQ(tensors.at("a").sum().item<float>(), 0.f);
  return {loaded - before, peak_memory() - before};
}

TEST(Safetensors, ALargeFileIsHeldOnce) {
  constexpr std::uint64_t bytes = 300'000'000;
  const auto [loaded, summed] = memory_taken(bytes, true);
  EXPECT_LT(loaded, bytes / 10) << "loading alone reads the data";
  EXPECT_LT(summed, bytes * 12 / 10);
  EXPECT_LT(memory_taken(bytes, false).second, bytes * 12 / 10) << "the unaligned copy";
}

TEST(UnknownFiles, AreExplained) {
  expect_refused("<!DOCTYPE html><html>", "web page");
  expect_refused("version https://git-lfs.github.com/spec/v1\n", "Git LFS");
  expect_refused(std::string(300, 'x'), "neither a safetensors nor a PyTorch");
  const testing::TemporaryFolder folder;
  EXPECT_THROW(load_weights(folder / "missing.pt"), Error);
  EXPECT_THROW(load_weights(folder.path()), Error);
}

}  // namespace
}  // namespace disco

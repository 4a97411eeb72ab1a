// PyTorch's own files against what PyTorch read from them.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "models/weights/state_dict.h"
#include "support/golden.h"
#include "weights/make_files.h"

namespace disco {
namespace {

fs::path golden_file(const std::string& name) {
  return fs::path(DISCO_SOURCE_DIR) / "tests" / "golden" / "files" / name;
}

const StateDict& expected() {
  static const StateDict tensors = load_weights(golden_file("expected.safetensors"));
  return tensors;
}

/// The expected file widens bfloat16 and holds scalars as one element; everything else must be the same bits.
void expect_same(const at::Tensor& actual, const at::Tensor& wanted, const std::string& name) {
  ASSERT_EQ(actual.numel(), wanted.numel()) << name;
  EXPECT_TRUE(actual.dim() == 0 || actual.sizes() == wanted.sizes()) << name;
  EXPECT_TRUE(actual.scalar_type() == at::kBFloat16 || actual.scalar_type() == wanted.scalar_type()) << name;
  EXPECT_TRUE(at::equal(actual.to(wanted.scalar_type()).reshape(wanted.sizes()), wanted)) << name;
}

void expect_state(const StateDict& tensors) {
  std::size_t seen = 0;
  for (const auto& [name, wanted] : expected()) {
    if (name.starts_with("module_state.")) continue;
    ASSERT_TRUE(tensors.contains(name)) << name;
    expect_same(tensors.at(name), wanted, name);
    ++seen;
  }
  EXPECT_EQ(tensors.size(), seen);
}

TEST(GoldenFiles, ZipFormat) {
  expect_state(load_weights(golden_file("state_zip.pt")));
  EXPECT_EQ(inspect_weights(golden_file("state_zip.pt")).format, "pytorch-zip");
}

TEST(GoldenFiles, LegacyFormat) {
  expect_state(load_weights(golden_file("state_legacy.pt")));
  EXPECT_EQ(inspect_weights(golden_file("state_legacy.pt")).format, "pytorch-legacy");
}

TEST(GoldenFiles, OpenClipCheckpointIsUnwrapped) {
  expect_state(load_weights(golden_file("openclip_style.pt")));
  const WeightsInfo info = inspect_weights(golden_file("openclip_style.pt"));
  EXPECT_EQ(info.metadata.at("unwrapped"), "state_dict");
}

TEST(GoldenFiles, DtypesShapesAndStridesAreKept) {
  const StateDict tensors = load_weights(golden_file("state_zip.pt"));
  EXPECT_EQ(tensors.at("bf16").scalar_type(), at::kBFloat16);
  EXPECT_EQ(tensors.at("layer.bias").scalar_type(), at::kHalf);
  EXPECT_EQ(tensors.at("flag").scalar_type(), at::kBool);
  EXPECT_EQ(tensors.at("scalar").dim(), 0);
  EXPECT_FALSE(tensors.at("strided").is_contiguous());
  const auto *a = tensors.at("shared.a").const_data_ptr<float>(), *b = tensors.at("shared.b").const_data_ptr<float>();
  EXPECT_EQ(b - a, 2) << "shared storage is not shared";
}

TEST(GoldenFiles, ModuleState) {
  const StateDict tensors = load_weights(golden_file("module_state.pth"));
  EXPECT_EQ(tensors.size(), 7u);
  for (const auto& [name, tensor] : tensors) expect_same(tensor, expected().at("module_state." + name), name);
}

TEST(GoldenFiles, TorchScriptArchive) {
  const StateDict tensors = load_weights(golden_file("clip_jit.pt"));
  const nlohmann::json manifest = golden::json("files/clip_jit.json")["tensors"];
  EXPECT_EQ(tensors.size(), manifest.size());
  for (const auto& [name, shape] : manifest.items()) {
    ASSERT_TRUE(tensors.contains(name)) << name;
    EXPECT_EQ(tensors.at(name).sizes().vec(), shape.get<std::vector<std::int64_t>>()) << name;
    EXPECT_TRUE(tensors.at(name).isfinite().all().item<bool>()) << name;
  }
  EXPECT_EQ(inspect_weights(golden_file("clip_jit.pt")).format, "torchscript");
}

TEST(GoldenFiles, CodeIsRefusedByName) {
  for (const char* name : {"evil.pt", "evil_zip.pt"}) {
    try {
      load_weights(golden_file(name));
      ADD_FAILURE() << name << " was loaded";
    } catch (const FormatError& error) {
      EXPECT_NE(error.problem().find("posix.system"), std::string::npos) << error.what();
      EXPECT_NE(error.where().find(name), std::string::npos) << error.what();
    }
  }
  EXPECT_FALSE(fs::exists("disco_was_here"));
}

/// Every prefix, and every file with one byte changed, either loads or is refused; nothing else may happen.
void read_every_element(const fs::path& path) {
  try {
    for (const auto& [name, tensor] : load_weights(path)) tensor.clone();
  } catch (const FormatError& error) {
    EXPECT_FALSE(error.where().empty()) << error.what();
  }
}

TEST(GoldenFiles, TruncatedAnywhere) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"state_zip.pt", "state_legacy.pt", "openclip_style.pt", "module_state.pth",
                           "expected.safetensors", "evil.pt"}) {
    const std::string bytes = read_file(golden_file(name));
    const fs::path path = folder / name;
    write_file(path, bytes);
    for (std::size_t size = bytes.size(); size-- > 0;) {
      fs::resize_file(path, size);
      try {
        load_weights(path);
        ADD_FAILURE() << name << " cut to " << size << " of " << bytes.size() << " bytes was loaded";
      } catch (const FormatError&) {
      }
    }
  }
}

TEST(GoldenFiles, TruncatedArchive) {
  const testing::TemporaryFolder folder;
  const std::string bytes = read_file(golden_file("clip_jit.pt"));
  const fs::path path = testing::write_to(folder, "clip_jit.pt", bytes);
  for (std::size_t size = bytes.size() - 1; size > 5000; size -= 4999) {
    fs::resize_file(path, size);
    EXPECT_THROW(load_weights(path), FormatError) << size;
  }
}

TEST(GoldenFiles, AnyByteChanged) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"state_zip.pt", "state_legacy.pt", "expected.safetensors", "evil_zip.pt"}) {
    const std::string bytes = read_file(golden_file(name));
    const fs::path path = testing::write_to(folder, name, bytes);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto put = [&](std::size_t at, char byte) { file.seekp(static_cast<std::streamoff>(at)).put(byte).flush(); };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      put(i, static_cast<char>(bytes[i] ^ (1 << (i % 8))));
      read_every_element(path);
      put(i, bytes[i]);
    }
    ASSERT_TRUE(file.good());
  }
}

}  // namespace
}  // namespace disco

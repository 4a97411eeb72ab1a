#include "run/checkpoint.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "support.h"

namespace disco {
namespace {

Checkpoint full_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.settings = quick_settings().settings;
  checkpoint.origins = {{"steps", "flag"}};
  checkpoint.picture = 2;
  checkpoint.number = 5;
  checkpoint.model_hashes = {{"ref-vit32", "00ff"}};
  checkpoint.threads = 2;
  checkpoint.device = "cpu, 2 threads";
  checkpoint.stop_share = 0.45;
  checkpoint.alpha_cumprod = 0.1234567890123456789;
  checkpoint.start = NoisyPicture{golden::unit("start", {1, 3, 8, 8}), 0.3};
  checkpoint.stream_before = at::arange(16, at::kByte);
  PictureState state;
  state.sampler = {
      golden::unit("x", {1, 3, 8, 8}), 4, {golden::unit("e0", {1, 3, 8, 8}), golden::unit("e1", {1, 3, 8, 8})}};
  state.first = 9;
  state.shown = golden::unit("shown", {1, 3, 8, 8});
  state.kept_gradient = golden::unit("kept", {1, 3, 8, 8});
  state.stream = at::arange(32, at::kByte);
  state.watchdog = {{0.1, 0.2}, {0, 1.0 / 3}, {0.5, 0.25}};
  state.losses = {1.1, 1.0 / 3, 2e-17};
  state.step_seconds = {0.1, 0.2};
  state.clamped_steps = 1;
  state.incidents = {"step 2: \"quoted\""};
  checkpoint.state = state;
  return checkpoint;
}

TEST(CheckpointFile, EverythingComesBack) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a(5)_0002.ckpt";
  const Checkpoint saved = full_checkpoint();
  write_checkpoint(path, saved);
  const Checkpoint loaded = read_checkpoint(path);
  EXPECT_EQ(loaded.settings, saved.settings);
  EXPECT_EQ(loaded.origins, saved.origins);
  EXPECT_EQ(loaded.picture, 2);
  EXPECT_EQ(loaded.number, 5);
  EXPECT_EQ(loaded.model_hashes, saved.model_hashes);
  EXPECT_EQ(loaded.device, saved.device);
  EXPECT_EQ(loaded.stop_share, 0.45);
  EXPECT_EQ(loaded.alpha_cumprod, saved.alpha_cumprod);
  EXPECT_TRUE(loaded.start->x.equal(saved.start->x));
  EXPECT_TRUE(loaded.stream_before.equal(saved.stream_before));
  const PictureState &a = *loaded.state, &b = *saved.state;
  EXPECT_TRUE(a.sampler.x.equal(b.sampler.x));
  EXPECT_EQ(a.sampler.i, 4);
  ASSERT_EQ(a.sampler.old_eps.size(), 2u);
  EXPECT_TRUE(a.sampler.old_eps[1].equal(b.sampler.old_eps[1]));
  EXPECT_EQ(a.first, 9);
  EXPECT_TRUE(a.shown.equal(b.shown));
  EXPECT_TRUE(a.kept_gradient.equal(b.kept_gradient));
  EXPECT_TRUE(a.stream.equal(b.stream));
  EXPECT_EQ(a.watchdog.changes, b.watchdog.changes);
  EXPECT_EQ(a.losses, b.losses);
  EXPECT_EQ(a.clamped_steps, 1);
  EXPECT_EQ(a.incidents, b.incidents);
}

TEST(CheckpointFile, AFirstCheckpointHasNoState) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "first.ckpt";
  Checkpoint checkpoint = full_checkpoint();
  checkpoint.state.reset();
  checkpoint.start.reset();
  write_file(path, first_checkpoint(checkpoint));
  const Checkpoint loaded = read_checkpoint(path);
  EXPECT_FALSE(loaded.state);
  EXPECT_EQ(loaded.settings, checkpoint.settings);
}

TEST(CheckpointFile, AnUnbegunFinishIsRefused) {
  const TemporaryFolder folder;
  write_file(folder.path() / "a.ckpt", first_checkpoint(full_checkpoint()));
  EXPECT_THROW(read_checkpoint(folder.path() / "a.ckpt"), FormatError);
}

TEST(CheckpointFile, OtherFilesAreRefused) {
  EXPECT_THROW(read_checkpoint(golden::folder() / "files" / "expected.safetensors"), FormatError);
  const TemporaryFolder folder;
  write_file(folder.path() / "a.ckpt", "nonsense");
  EXPECT_THROW(read_checkpoint(folder.path() / "a.ckpt"), FormatError);
}

TEST(CheckpointFile, TheNewestIsFoundFirst) {
  const TemporaryFolder folder;
  for (const char* name : {"x/a(0)_0000.ckpt", "y/b(0)_0000.ckpt", "y/.b(0)_0000.ckpt.abc", "y/b.png"})
    write_file(folder.path() / name, "");
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(folder.path() / "x/a(0)_0000.ckpt", now);
  fs::last_write_time(folder.path() / "y/b(0)_0000.ckpt", now - std::chrono::hours(1));
  const auto found = find_checkpoints(folder.path());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].filename(), "a(0)_0000.ckpt");
}

}  // namespace
}  // namespace disco

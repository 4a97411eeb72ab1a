#include "run/checkpoint.h"

#include <ATen/ATen.h>

#include <functional>

#include "core/error.h"
#include "support.h"

namespace disco {
namespace {

Checkpoint full_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.settings = quick_settings({{"n_batches", 3}, {"steps", 20}, {"width", 64}, {"height", 64}}).settings;
  checkpoint.origins = {{"steps", "flag"}};
  checkpoint.picture = 2;
  checkpoint.number = 5;
  checkpoint.model_hashes = {{"ref-vit32", "00ff"}};
  checkpoint.threads = 2;
  checkpoint.device = "cpu, 2 threads";
  checkpoint.stop_share = 0.45;
  checkpoint.alpha_cumprod = 0.1234567890123456789;
  checkpoint.start = NoisyPicture{golden::unit("start", {1, 3, 64, 64}), 0.3, "a(4)_0001.draft"};
  checkpoint.inputs = {{"/a/picture.png", "00aa"}};
  checkpoint.drafts = true;
  checkpoint.next = "a(6)_0000.ckpt";
  checkpoint.plan = {4, true, true};
  checkpoint.stream_before = at::arange(16, at::kByte);
  PictureState state;
  state.sampler = {
      golden::unit("x", {1, 3, 64, 64}), 4, {golden::unit("e0", {1, 3, 64, 64}), golden::unit("e1", {1, 3, 64, 64})}};
  state.first = 9;
  state.shown = golden::unit("shown", {1, 3, 64, 64});
  state.kept_gradient = golden::unit("kept", {1, 3, 64, 64});
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
  EXPECT_EQ(loaded.start->draft, "a(4)_0001.draft");
  EXPECT_EQ(loaded.inputs, saved.inputs);
  EXPECT_TRUE(loaded.drafts);
  EXPECT_EQ(loaded.next, saved.next);
  EXPECT_EQ(loaded.plan, saved.plan);
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
  EXPECT_FALSE(was_begun(folder.path() / "a.ckpt"));
  write_checkpoint(folder.path() / "b.ckpt", full_checkpoint());
  EXPECT_TRUE(was_begun(folder.path() / "b.ckpt"));
}

TEST(CheckpointFile, ManyStepsAreNoDamage) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = full_checkpoint();
  checkpoint.settings.steps = 1500;
  checkpoint.state->first = 1499;
  checkpoint.state->sampler.i = 1400;
  write_checkpoint(folder.path() / "a.ckpt", checkpoint);
  EXPECT_EQ(read_checkpoint(folder.path() / "a.ckpt").state->sampler.i, 1400);
}

TEST(CheckpointFile, WhatNoRunWritesIsRefused) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.ckpt";
  const std::vector<std::pair<const char*, std::function<void(Checkpoint&)>>> lies = {
      {"a picture below", [](Checkpoint& c) { c.picture = -5; }},
      {"a picture above", [](Checkpoint& c) { c.picture = 3; }},
      {"a run number", [](Checkpoint& c) { c.number = -3; }},
      {"a step", [](Checkpoint& c) { c.state->sampler.i = -100000000; }},
      {"a share", [](Checkpoint& c) { c.stop_share = 0; }},
      {"a size", [](Checkpoint& c) { c.settings.width = 128; }},
      {"no picture", [](Checkpoint& c) { c.state->sampler.x.reset(); }},
      {"whole numbers", [](Checkpoint& c) { c.state->sampler.x = c.state->sampler.x.to(at::kInt); }},
      {"many estimates", [](Checkpoint& c) { c.state->sampler.old_eps.resize(5, c.state->sampler.x); }},
      {"an estimate's size",
       [](Checkpoint& c) {
         c.state->sampler.old_eps[0] = at::zeros({1, 3, 8, 8});
       }},
      {"a start's size", [](Checkpoint& c) { c.start->x = at::zeros({3}); }},
      {"a stream", [](Checkpoint& c) { c.stream_before = at::zeros({16}); }},
  };
  for (const auto& [what, lie] : lies) {
    Checkpoint checkpoint = full_checkpoint();
    lie(checkpoint);
    write_checkpoint(path, checkpoint);
    EXPECT_THROW(read_checkpoint(path), FormatError) << what;
  }
  // Far more estimates than there are tensors: said before any is looked for.
  write_checkpoint(path, full_checkpoint());
  std::string bytes = read_file(path);
  const std::string count = R"(\"old_eps\":2)";
  const std::size_t at = bytes.find(count);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at + count.size() - 1, 1, "9");
  write_file(path, bytes);
  EXPECT_THROW(read_checkpoint(path), FormatError);
}

TEST(CheckpointFile, AChainGoesOnWithTheFirstThatIsLeft) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& next) {
    Checkpoint checkpoint = full_checkpoint();
    checkpoint.next = next;
    write_checkpoint(folder.path() / name, checkpoint);
  };
  write("a(1)_0000.ckpt", "a(2)_0000.ckpt");
  write("a(2)_0000.ckpt", "a(3)_0000.ckpt");
  write("a(3)_0000.ckpt", "");
  write("b(0)_0000.ckpt", "");
  write_file(folder.path() / "broken.ckpt", "nonsense");
  EXPECT_EQ(first_of_chain(folder.path() / "a(3)_0000.ckpt").filename(), "a(1)_0000.ckpt");
  fs::remove(folder.path() / "a(1)_0000.ckpt");
  EXPECT_EQ(first_of_chain(folder.path() / "a(3)_0000.ckpt").filename(), "a(2)_0000.ckpt");
  EXPECT_EQ(first_of_chain(folder.path() / "b(0)_0000.ckpt").filename(), "b(0)_0000.ckpt");
  write("a(3)_0000.ckpt", "a(2)_0000.ckpt");
  EXPECT_NO_THROW(first_of_chain(folder.path() / "a(3)_0000.ckpt")) << "a ring has no first one";
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

// Drafts and finishing them.
#include <ATen/ATen.h>

#include "core/error.h"
#include "run/checkpoint.h"
#include "support.h"

namespace disco {
namespace {

DraftResult draw_three(Engine& engine, const fs::path& out, Recorder& listener) {
  DraftRequest request;
  request.run = request_in(out, quick_settings());
  request.count = 3;
  request.stop_at = 0.5;
  return engine.draft(request, listener);
}

TEST(Draft, ASheetAndAsManyDrafts) {
  const TemporaryFolder out;
  Recorder listener;
  const auto engine = make_engine();
  const DraftResult result = draw_three(*engine, out.path(), listener);
  EXPECT_TRUE(fs::exists(result.sheet));
  ASSERT_EQ(result.drafts.size(), 3u);
  EXPECT_EQ(listener.steps, 9);  // three of six steps each
  const Checkpoint second = read_checkpoint(result.drafts[1]);
  EXPECT_EQ(second.settings.seed, 8);
  EXPECT_GT(second.alpha_cumprod, 0);
}

TEST(Draft, TheChosenOnesAreCarriedOnWithOtherSteps) {
  const TemporaryFolder out;
  Recorder listener;
  const auto engine = make_engine();
  draw_three(*engine, out.path(), listener);
  listener.steps = 0;
  RunRequest request = request_in(out.path(), quick_settings({{"steps", 10}}));
  const RunResult result = engine->finish(out.path(), {1, 3}, request, listener);
  ASSERT_EQ(result.pictures.size(), 2u);
  EXPECT_GT(listener.steps, 2 * 3);
  EXPECT_LT(listener.steps, 2 * 10);
  EXPECT_NE(read_file(result.pictures[0]), read_file(result.pictures[1]));
  EXPECT_THROW(engine->finish(out.path(), {4}, request, listener), RequestError);
}

TEST(Draft, AnInterruptedFinishEndsInTheSameBits) {
  const TemporaryFolder out;
  Recorder listener;
  const auto engine = make_engine();
  draw_three(*engine, out.path(), listener);
  const RunRequest whole_request = request_in(out.path(), quick_settings({{"steps", 10}, {"batch_name", "whole"}}));
  const std::string whole = read_file(engine->finish(out.path(), {2}, whole_request, listener).pictures.at(0));
  Recorder stopped;
  stopped.stop_after = 2;
  const RunRequest request =
      request_in(out.path() / "other", quick_settings({{"steps", 10}, {"batch_name", "whole"}}), &stopped);
  EXPECT_THROW(engine->finish(out.path(), {2}, request, stopped), Interrupted);
  Recorder second;
  EXPECT_EQ(read_file(engine->resume(out.path() / "other", 30, nullptr, second).pictures.at(0)), whole);
}

TEST(Draft, FinishWithoutDraftsSaysWhatToDo) {
  const TemporaryFolder out;
  Recorder listener;
  EXPECT_THROW(make_engine()->finish(out.path(), {1}, request_in(out.path(), quick_settings()), listener),
               RequestError);
}

}  // namespace
}  // namespace disco

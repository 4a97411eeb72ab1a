// Same settings, same bits; interrupted and resumed runs end in the same bits.
#include <fstream>

#include "core/error.h"
#include "support.h"

namespace disco {
namespace {

std::vector<std::string> draw(const nlohmann::ordered_json& values, int threads = 1) {
  const TemporaryFolder out;
  Recorder listener;
  std::vector<std::string> files;
  for (const fs::path& path :
       make_engine(threads)->run(request_in(out.path(), quick_settings(values)), listener).pictures) {
    files.push_back(read_file(path));
  }
  return files;
}

TEST(Repeat, TheSameSeedGivesTheSameFile) {
  EXPECT_EQ(draw({}), draw({}));
  EXPECT_EQ(draw({}, 2), draw({}, 2));
  EXPECT_NE(draw({{"seed", 8}}), draw({}));
}

TEST(Repeat, APictureDoesNotDependOnTheOthersOfItsRun) {
  const auto three = draw({{"n_batches", 3}});
  ASSERT_EQ(three.size(), 3u);
  EXPECT_EQ(three[2], draw({{"seed", 9}})[0]);
}

/// Interrupts a run after each number of steps and resumes it; the pictures must be those of an uninterrupted run.
void expect_same_after_resume(const nlohmann::ordered_json& values) {
  const auto whole = draw(values);
  const int pictures = static_cast<int>(whole.size());
  int tried = 0;
  for (int stop = 1; stop < 6 * pictures; stop += 2, ++tried) {
    const TemporaryFolder out;
    Recorder first;
    first.stop_after = stop;
    bool interrupted = false;
    try {
      make_engine()->run(request_in(out.path(), quick_settings(values), &first), first);
    } catch (const Interrupted&) {
      interrupted = true;
    }
    ASSERT_TRUE(interrupted) << "after " << stop << " steps";
    Recorder second;
    const RunResult result = make_engine()->resume(out.path(), 30, nullptr, second);
    ASSERT_EQ(result.pictures.size(), whole.size());
    for (std::size_t k = 0; k < whole.size(); ++k)
      EXPECT_EQ(read_file(result.pictures[k]), whole[k]) << stop << " " << k;
    for (const auto& entry : fs::recursive_directory_iterator(out.path())) EXPECT_NE(entry.path().extension(), ".ckpt");
  }
  EXPECT_GT(tried, 1);
}

TEST(Repeat, ResumedNative) { expect_same_after_resume({{"n_batches", 2}}); }
TEST(Repeat, ResumedFaithfulWithPerlin) {
  expect_same_after_resume(
      {{"n_batches", 2}, {"compat", "disco-5.7"}, {"perlin_init", true}, {"skip_steps", 0}, {"init_scale", 100}});
}
TEST(Repeat, ResumedPlmsThenDdim) { expect_same_after_resume({{"plms_share", 0.5}, {"guidance_every", 2}}); }

TEST(Repeat, ACheckpointOfAnUnbegunPictureIsEnough) {
  // What is on the disk right after begin(): the run killed before its first step.
  const auto whole = draw({});
  const TemporaryFolder out;
  Recorder listener;
  listener.stop_after = 1;
  EXPECT_THROW(make_engine()->run(request_in(out.path(), quick_settings({}), &listener), listener), Interrupted);
  EXPECT_EQ(read_file(make_engine()->resume(out.path(), 30, nullptr, listener).pictures.at(0)), whole[0]);
}

TEST(Repeat, NothingToResume) {
  const TemporaryFolder out;
  Recorder listener;
  EXPECT_THROW(make_engine()->resume(out.path(), 30, nullptr, listener), RequestError);
}

TEST(Repeat, RunNumbersAreNeverTakenTwice) {
  const TemporaryFolder out;
  Recorder listener;
  auto engine = make_engine();
  const auto first = engine->run(request_in(out.path(), quick_settings()), listener).pictures.at(0);
  const auto second = engine->run(request_in(out.path(), quick_settings()), listener).pictures.at(0);
  EXPECT_EQ(first.filename(), "quick(0)_0000.png");
  EXPECT_EQ(second.filename(), "quick(1)_0000.png");
  EXPECT_EQ(read_file(first), read_file(second));
}

}  // namespace
}  // namespace disco

// The original's whole runs through the program, and runs killed at random moments.
#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "picture/picture.h"
#include "program/drawing.h"

namespace disco::program {
namespace {

double psnr(const Picture& a, const Picture& b) {
  EXPECT_EQ(a.samples.size(), b.samples.size());
  if (a.samples.size() != b.samples.size()) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) sum += std::pow(a.samples[i] - b.samples[i], 2);
  return sum == 0 ? INFINITY : 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.samples.size()) / sum);
}

class GoldenRunTest : public DrawingTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(GoldenRunTest, DrawsTheOriginalsPicture) {
  const fs::path golden = source_folder() / "tests" / "golden" / "e2e" / GetParam();
  const Outcome outcome = place.run({"run", "--settings", (golden / "settings.json").string(), "--models",
                                     small_models().string(), "--threads", "1", "--no-advice"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto expected = nlohmann::json::parse(read_file(golden / "losses.json"))["losses"].get<std::vector<double>>();
  const auto actual = place.read_json("out/ref/ref(0)_0000.json")["losses"].get<std::vector<double>>();
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-2) << "loss " << i;
  EXPECT_GE(psnr(read_picture(golden / "ref(0)_0.png"), read_picture(place / "out/ref/ref(0)_0000.png")), 30);
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenRunTest, ::testing::Values("init", "primary", "secondary"),
                         [](const auto& run) { return std::string(run.param); });

TEST_F(DrawingTest, ARunKilledAtAnyMomentGoesOnToTheSameBits) {
  const Outcome whole = place.run(drawing("whole", {"--n-batches", "2"}));
  ASSERT_EQ(whole.status, 0) << whole.err;
  const std::uint32_t seed = std::random_device{}();
  std::mt19937 random(seed);
  // Long enough that resumed runs get on, short enough that many are killed.
  std::uniform_real_distribution<double> delay(0, whole.seconds * 0.8);
  int killed = 0;
  for (int attempt = 0; attempt < 60; ++attempt) {
    bool resumable = false;
    if (fs::exists(place / "cut/small")) {
      for (const std::string& name : files("cut")) resumable = resumable || name.ends_with(".ckpt");
    }
    if (!resumable && fs::exists(place / "cut/small/small(0)_0001.png")) break;
    auto child =
        place.start(resumable ? resuming("cut") : drawing("cut", {"--n-batches", "2", "--checkpoint-seconds", "0"}));
    std::this_thread::sleep_for(std::chrono::duration<double>(delay(random)));
    child.send(SIGKILL);
    const int status = child.wait().status;
    killed += status == 128 + SIGKILL ? 1 : 0;
    ASSERT_TRUE(status == 0 || status == 128 + SIGKILL) << status << ' ' << child.err_so_far();
    // Whatever is there under a picture's name is a whole picture.
    for (int k = 0; k < 2; ++k) {
      if (fs::exists(place / ("cut/small/small(0)_000" + std::to_string(k) + ".png"))) {
        ASSERT_EQ(picture("cut", k), picture("whole", k)) << "seed " << seed;
      }
    }
  }
  EXPECT_GT(killed, 0);
  for (int k = 0; k < 2; ++k) {
    EXPECT_EQ(picture("cut", k), picture("whole", k)) << "seed " << seed;
    EXPECT_EQ(losses("cut", k), losses("whole", k)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace disco::program

// Whole runs against the original's numbers.
#include <ATen/ATen.h>

#include "picture/picture.h"
#include "run/generation.h"
#include "run/session.h"
#include "support.h"

namespace disco {
namespace {

double psnr(const Picture& a, const Picture& b) {
  EXPECT_EQ(a.samples.size(), b.samples.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const double difference = double(a.samples[i]) - double(b.samples[i]);
    sum += difference * difference;
  }
  return sum == 0 ? INFINITY : 10 * std::log10(255.0 * 255.0 / (sum / double(a.samples.size())));
}

class GoldenRun : public testing::TestWithParam<std::string> {};

TEST_P(GoldenRun, FirstStepAndLosses) {
  const Settings settings = golden_settings(GetParam()).settings;
  Session session({golden::models_folder()}, "cpu", 2);
  RunModels models = load_models(settings, session);
  RandomStreams streams = RandomStreams::shared(static_cast<std::uint64_t>(settings.seed));
  embed_prompts(settings, session, streams, models, nullptr);
  Generation generation(settings, models, streams, session.device());
  const auto expected = golden::tensors("e2e/" + GetParam() + "/tensors.safetensors");

  const StepOutcome first = generation.step();
  EXPECT_LT(golden::relative_error(first.shown, expected.at("0.first.pred_xstart")), 1e-3);
  EXPECT_LT(golden::relative_error(generation.state().sampler.x, expected.at("0.first.sample")), 1e-3);

  StepOutcome last = first;
  while (!generation.done()) last = generation.step();
  const auto losses = golden::json("e2e/" + GetParam() + "/losses.json")["losses"].get<std::vector<double>>();
  const std::vector<double> logged = generation.state().losses;
  ASSERT_EQ(logged.size(), losses.size());
  double worst = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) worst = std::max(worst, std::abs(logged[i] - losses[i]));
  EXPECT_LT(worst, 1e-2);
  const at::Tensor difference = (last.shown - expected.at("0.last.pred_xstart")).abs();
  RecordProperty("worst_loss", std::to_string(worst));
  RecordProperty("last_difference", std::to_string(difference.max().item<double>()));
  std::printf("  %s: worst loss difference %.2g, last picture differs by at most %.2g\n", GetParam().c_str(), worst,
              difference.max().item<double>());
}

TEST_P(GoldenRun, ThroughTheEngine) {
  const TemporaryFolder out;
  Recorder listener;
  const RunResult result = make_engine()->run(request_in(out.path(), golden_settings(GetParam())), listener);
  ASSERT_EQ(result.pictures.size(), 1u);
  EXPECT_EQ(result.pictures[0].filename(), "ref(0)_0000.png");
  const double decibels =
      psnr(read_picture(result.pictures[0]), read_picture(golden::folder() / "e2e" / GetParam() / "ref(0)_0.png"));
  EXPECT_GE(decibels, 30);
  std::printf("  %s: %.1f dB\n", GetParam().c_str(), decibels);
  const auto sidecar = nlohmann::json::parse(read_file(out.path() / "ref" / "ref(0)_0000.json"));
  EXPECT_EQ(sidecar["losses"].size(), golden::json("e2e/" + GetParam() + "/losses.json")["losses"].size());
}

INSTANTIATE_TEST_SUITE_P(EndToEnd, GoldenRun, testing::Values("secondary", "primary", "init"));

}  // namespace
}  // namespace disco

// Whole runs on a GPU: the original's numbers, the same bits twice, and carried on after a stop.
#include "kernels/choice.h"
#include "on_gpu.h"
#include "picture/picture.h"
#include "run/generation.h"
#include "run/session.h"
#include "run/support.h"

namespace disco {
namespace {

std::unique_ptr<Engine> gpu_engine(const std::string& precision, const std::string& kernels = "fast") {
  EngineOptions options;
  options.model_folders = {golden::models_folder()};
  options.device = "cuda";
  options.precision = precision;
  options.kernels = kernels;
  return std::unique_ptr<Engine>(disco_create_engine(DISCO_VERSION, options));
}

class GoldenRunOnGpu : public OnGpu, public testing::WithParamInterface<std::string> {};

/// What half precision may be off by in the first step. Its picture is x̂0 = (x - σε)/α, so what ε, with values around
/// 1, is off by counts σ/α times, 106 times at the noisiest of 20 steps; ε itself is rounded to a half (2^-11) at the
/// network's end, and not much more is lost on the way, as sums are float32. Where little noise is left, what the
/// guidance adds counts instead.
double half_step_error(const NoiseSchedule& schedule, int i) {
  constexpr double epsilon_error = 1.0 / 2048, guidance_error = 1e-2;
  const double alpha_cumprod = schedule.alphas_cumprod[static_cast<std::size_t>(i)];
  return epsilon_error * std::sqrt((1 - alpha_cumprod) / alpha_cumprod) + guidance_error;
}

/// The first step and every logged loss of a faithful run, beside the original's.
void expect_golden(const std::string& name, const std::string& precision, double loss_error) {
  const Settings settings = golden_settings(name).settings;
  Session session({golden::models_folder()}, "cuda", 0, precision);
  RunModels models = load_models(settings, session);
  RandomStreams streams = RandomStreams::shared(static_cast<std::uint64_t>(settings.seed));
  embed_prompts(settings, session, streams, models, nullptr);
  Generation generation(settings, models, streams, session.device());
  const auto expected = golden::tensors("e2e/" + name + "/tensors.safetensors");
  const double step_error =
      precision == "half" ? half_step_error(NoiseSchedule::linear(settings.steps), generation.state().first) : 1e-3;
  const StepOutcome first = generation.step();
  const double shown = apart(first.shown, expected.at("0.first.pred_xstart"));
  const double sample = apart(generation.state().sampler.x, expected.at("0.first.sample"));
  StepOutcome last = first;
  while (!generation.done()) last = generation.step();
  const auto losses = golden::json("e2e/" + name + "/losses.json")["losses"].get<std::vector<double>>();
  const std::vector<double> logged = generation.state().losses;
  double worst = 0;
  for (std::size_t i = 0; i < std::min(losses.size(), logged.size()); ++i)
    worst = std::max(worst, std::abs(logged[i] - losses[i]));
  const double drift = (last.shown.cpu() - expected.at("0.last.pred_xstart")).abs().max().item<double>();
  std::printf("  %s in %s: first step %.2g, %.2g (limit %.2g); worst loss %.2g; last picture %.2g; incidents %zu\n",
              name.c_str(), precision.c_str(), shown, sample, step_error, worst, drift,
              generation.state().incidents.size());
  EXPECT_LT(shown, step_error);
  EXPECT_LT(sample, step_error);
  EXPECT_EQ(logged.size(), losses.size());
  EXPECT_LT(worst, loss_error);
  for (const auto& [what, why] : models.recordings->failures()) {
    ADD_FAILURE() << what << " is not recorded: " << why;
  }
}

TEST_P(GoldenRunOnGpu, InFloatAsOnTheProcessor) { expect_golden(GetParam(), "float", 1e-2); }
TEST_P(GoldenRunOnGpu, InHalf) { expect_golden(GetParam(), "half", 1e-1); }

INSTANTIATE_TEST_SUITE_P(EndToEnd, GoldenRunOnGpu, testing::Values("secondary", "primary", "init"));

class RunsOnGpu : public OnGpu {};

std::string picture_of(Engine& engine, const nlohmann::ordered_json& values = {}) {
  const TemporaryFolder out;
  Recorder listener;
  const RunResult result = engine.run(request_in(out.path(), quick_settings(values)), listener);
  for (const std::string& warning : listener.warnings) ADD_FAILURE() << warning;
  const Picture picture = read_picture(result.pictures.at(0));
  return {reinterpret_cast<const char*>(picture.samples.data()), picture.samples.size()};
}

TEST_F(RunsOnGpu, TheSameBitsTwice) {
  for (const char* precision : {"float", "half"}) {
    for (const bool secondary : {true, false}) {
      const nlohmann::ordered_json values = {{"use_secondary_model", secondary}, {"cutn_batches", 2}};
      EXPECT_EQ(picture_of(*gpu_engine(precision), values), picture_of(*gpu_engine(precision), values))
          << precision << secondary;
    }
  }
}

TEST_F(RunsOnGpu, EverySettingThatAddsWork) {
  const auto engine = gpu_engine("half");
  for (const nlohmann::ordered_json& values : std::vector<nlohmann::ordered_json>{
           {{"perlin_init", true}, {"skip_steps", 2}},
           {{"tv_scale", 100}, {"sat_scale", 10}, {"range_scale", 50}},
           {{"symmetry_loss", "both"}, {"symmetry_loss_scale", 1000}},
           {{"use_horizontal_symmetry", true}, {"use_vertical_symmetry", true}},
           {{"diffusion_sampling_mode", "plms"}},
           {{"fuzzy_prompt", true}},
           {{"clip_models", {"ref-vit32", "ref-vit16", "ref-rn50"}}, {"guidance_every", 2}},
           {{"skip_augs", true}}}) {
    SCOPED_TRACE(values.dump());
    EXPECT_NO_THROW(picture_of(*engine, values));
  }
}

TEST_F(RunsOnGpu, AStoppedRunEndsInTheSameBits) {
  for (const char* precision : {"float", "half"}) {
    const auto engine = gpu_engine(precision);
    const std::string whole = picture_of(*engine);
    const TemporaryFolder out;
    Recorder stopping;
    stopping.stop_after = 3;
    EXPECT_THROW(engine->run(request_in(out.path(), quick_settings(), &stopping), stopping), std::exception);
    Recorder going_on;
    const RunResult result = gpu_engine(precision)->resume(out.path(), 30, nullptr, going_on);
    const Picture picture = read_picture(result.pictures.at(0));
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(picture.samples.data()), picture.samples.size()), whole);
  }
}

TEST_F(RunsOnGpu, WeightsThatComeForTheirTurnDrawTheSamePicture) {
  const Settings settings = quick_settings({{"clip_models", {"ref-vit32", "ref-rn50"}}}).settings;
  for (const char* precision : {"float", "half"}) {
    const auto last_picture = [&](const MemoryPlan& plan) {
      Session session({golden::models_folder()}, "cuda", 0, precision);
      session.keep_weights(plan);
      RunModels models = load_models(settings, session);
      EXPECT_EQ(models.unet->parameters().begin()->second.is_cpu(), plan.weights_on_host);
      RandomStreams streams = RandomStreams::independent(static_cast<std::uint64_t>(settings.seed));
      embed_prompts(settings, session, streams, models, nullptr);
      give_up_text(session, models);
      Generation generation(settings, models, streams, session.device(), plan);
      StepOutcome last;
      while (!generation.done()) last = generation.step();
      EXPECT_TRUE(models.clip.front().clip->parameters().begin()->second.is_cpu() == plan.weights_on_host);
      return last.shown.cpu();
    };
    const at::Tensor stayed = last_picture({}), came = last_picture({.weights_on_host = true});
    // Algorithms may be others where there is other scratch memory.
    EXPECT_LT((stayed - came).abs().mean().item<double>(), precision == std::string("half") ? 2e-2 : 1e-3);
    EXPECT_TRUE(at::equal(came, last_picture({.weights_on_host = true})));
  }
}

TEST_F(RunsOnGpu, PlainKernelsDrawTheSamePicture) {
  const std::string fast = picture_of(*gpu_engine("float")), plain = picture_of(*gpu_engine("float", "plain"));
  ASSERT_EQ(fast.size(), plain.size());
  double sum = 0;
  for (std::size_t k = 0; k < fast.size(); ++k) {
    sum += std::abs(static_cast<unsigned char>(fast[k]) - static_cast<unsigned char>(plain[k]));
  }
  EXPECT_LT(sum / static_cast<double>(fast.size()), 2) << "mean difference of the samples";
  choose_kernels(Kernels::fast);
}

}  // namespace
}  // namespace disco

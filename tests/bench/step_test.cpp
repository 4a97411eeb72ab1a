#include "bench/step.h"

#include "core/error.h"
#include "run/support.h"

namespace disco {
namespace {

StepRequest quick_step(nlohmann::ordered_json values = {}) {
  StepRequest request;
  request.engine.model_folders = {golden::models_folder()};
  request.engine.device = "cpu";
  request.settings = quick_settings(std::move(values)).settings;
  request.steps = 2;
  return request;
}

TEST(Step, ThePartsAreTheStep) {
  const StepResult result = measure_step(quick_step());
  double sum = 0;
  for (const StepCost& part : result.parts) {
    sum += part.seconds;
    const bool multiplies = !part.part.starts_with("cutouts") && part.part != "losses" && part.part != "sampler";
    EXPECT_EQ(part.flops > 0, multiplies) << part.part;
  }
  EXPECT_EQ(result.parts.size(), 9u);  // UNet, secondary, CLIP and cutouts with their gradients, losses, sampler
  EXPECT_GT(sum, 0);
  EXPECT_GT(result.seconds, 0);
  EXPECT_TRUE(result.made_up.empty());
  EXPECT_GT(result.predicted_memory, 0u);
}

TEST(Step, RefusesWhatCannotBeMeasured) {
  EXPECT_THROW(measure_step(quick_step({{"steps", 1}})), RequestError);
  EXPECT_THROW(measure_step(quick_step({{"secondary_model", "nobody-knows-it"}})), RequestError);
}

}  // namespace
}  // namespace disco

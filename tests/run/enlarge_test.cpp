// Finished pictures, enlarged.
#include "run/enlarge.h"

#include <ATen/ATen.h>

#include "models/weights/state_dict.h"
#include "picture/picture.h"
#include "support.h"

namespace disco {
namespace {

/// An upscaler whose every layer acts (a fresh one only enlarges).
StateDict acting_upscaler(std::int64_t factor) {
  StateDict tensors = initial_upscaler({.width = 8, .blocks = 2, .factor = factor}, 5);
  const at::Tensor tail = tensors.at("tail.weight");
  tail.copy_(at::linspace(-0.1, 0.1, tail.numel()).view(tail.sizes()));
  return tensors;
}

TEST(Enlarge, InTilesAsInOnePiece) {
  const Upscaler upscaler(acting_upscaler(2));
  const at::Tensor picture = at::linspace(0, 40, 3 * 37 * 53).sin().view({1, 3, 37, 53});
  const at::Tensor whole = enlarged(upscaler, picture, 1000);
  EXPECT_EQ(whole.sizes(), at::IntArrayRef({1, 3, 74, 106}));
  EXPECT_TRUE(at::allclose(whole, upscaler.forward(picture).clamp(-1, 1)));
  for (const std::int64_t tile : {5, 16, 40})
    EXPECT_TRUE(at::allclose(enlarged(upscaler, picture, tile), whole, 1e-5, 1e-5)) << tile;
}

TEST(Enlarge, TheFinishedPictureOfARun) {
  const TemporaryFolder place;
  save_safetensors(place.path() / "bigger.safetensors", acting_upscaler(4));
  const auto draw = [&](const std::string& upscaler) {
    EngineOptions options;
    options.model_folders = {place.path(), golden::models_folder()};
    options.device = "cpu";
    options.threads = 1;
    const std::unique_ptr<Engine> engine(disco_create_engine(DISCO_VERSION, options));
    Recorder listener;
    const auto settings = quick_settings({{"upscaler", upscaler}, {"steps", 2}});
    return read_picture(engine->run(request_in(place.path() / "out", settings), listener).pictures.at(0));
  };
  const Picture small = draw(""), large = draw("bigger");
  EXPECT_EQ(large.width, 4 * small.width);
  EXPECT_EQ(large.height, 4 * small.height);
}

}  // namespace
}  // namespace disco

#include "train/world/light.h"

#include "train/world/dice.h"

namespace disco {

Light light_of(const Scene& scene) {
  Dice dice(scene.detail, DicePurpose::light);
  const double aside = dice.uniform(-1, 1), up = dice.uniform(-1, 1);
  switch (scene.sky) {
    case Sky::day:
      return {{1, 1, 0.98}, rgb(0xbfe4f8), rgb(0x2f7fe0), rgb(0xfff3a8), {0.17 + 0.05 * aside, 0.16 + 0.03 * up},
              false};
    case Sky::sunset:
      return {{0.98, 0.72, 0.6},
              rgb(0xffb049),
              rgb(0x4d2270),
              rgb(0xffe08a),
              {0.82 + 0.06 * aside, scene.horizon - 0.09 + 0.02 * up},
              false};
    case Sky::night:
      return {{0.36, 0.43, 0.7},
              rgb(0x37599c),
              rgb(0x050a26),
              rgb(0xf6f3d8),
              {0.83 + 0.05 * aside, 0.17 + 0.03 * up},
              true};
    case Sky::storm:
      return {
          {0.56, 0.6, 0.64}, rgb(0x838d93), rgb(0x22262d), rgb(0xfff7b8), {0.17 + 0.06 * aside, 0.3 + 0.03 * up}, true};
    case Sky::dawn:
      return {{1, 0.87, 0.88},
              rgb(0xffdcc4),
              rgb(0x8fa8e2),
              rgb(0xfffbe0),
              {0.2 + 0.06 * aside, scene.horizon - 0.012 + 0.01 * up},
              false};
    case Sky::aurora:
      return {
          {0.34, 0.56, 0.58}, rgb(0x1f6a6a), rgb(0x081428), rgb(0x6dffb0), {0.3 + 0.1 * aside, 0.25 + 0.04 * up}, true};
  }
  return {};
}

}  // namespace disco

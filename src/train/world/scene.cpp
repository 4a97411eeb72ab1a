#include "train/world/scene.h"

#include "train/world/dice.h"

namespace disco {

Scene random_scene(std::uint64_t seed) {
  Dice dice(seed, DicePurpose::scene);
  Scene scene;
  scene.sky = static_cast<Sky>(dice.below(sky_count));
  scene.ground = static_cast<Ground>(dice.below(ground_count));
  // An empty landscape half as often as any one subject.
  const std::size_t draw = dice.below(2 * subject_count - 1);
  scene.subject = static_cast<Subject>((draw + 1) / 2);
  if (scene.subject == Subject::ship) scene.ground = Ground::sea;
  scene.horizon = dice.uniform(0.61, 0.67);
  scene.x = dice.uniform(0.46, 0.54);
  scene.size = dice.uniform(0.64, 0.72);
  scene.base = scene.horizon + dice.uniform(0.15, 0.19);
  if (scene.subject == Subject::balloon) scene.base = dice.uniform(0.76, 0.8);
  scene.mirrored = dice.chance(0.5);
  scene.detail = dice.bits();
  return scene;
}

}  // namespace disco

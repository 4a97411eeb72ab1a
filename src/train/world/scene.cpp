#include "train/world/scene.h"

#include "train/world/dice.h"

namespace disco {

Scene random_scene(std::uint64_t seed, double variety) {
  Dice dice(seed, DicePurpose::scene);
  Scene scene;
  scene.sky = static_cast<Sky>(dice.below(sky_count));
  scene.ground = static_cast<Ground>(dice.below(ground_count));
  // An empty landscape half as often as any one subject.
  const std::size_t draw = dice.below(2 * subject_count - 1);
  scene.subject = static_cast<Subject>((draw + 1) / 2);
  if (scene.subject == Subject::ship) scene.ground = Ground::sea;
  const auto about = [&](double middle, double room) { return middle + variety * dice.uniform(-room, room); };
  scene.horizon = about(0.64, 0.03);
  scene.x = about(0.5, 0.04);
  scene.size = about(0.68, 0.04);
  scene.base = scene.horizon + about(0.17, 0.02);
  if (scene.subject == Subject::balloon) scene.base = about(0.78, 0.02);
  scene.mirrored = variety >= 0.5 && dice.chance(0.5);
  const std::uint64_t detail = dice.bits();
  scene.detail = variety < 1 ? detail % (1 + static_cast<std::uint64_t>(4 * variety)) : detail;
  return scene;
}

}  // namespace disco

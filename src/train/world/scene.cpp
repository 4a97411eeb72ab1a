#include "train/world/scene.h"

#include <algorithm>

#include "core/hash.h"
#include "train/world/dice.h"

namespace disco {
namespace {

template <typename Kind>
Kind any(Dice& dice, std::size_t count) {
  return static_cast<Kind>(dice.below(count));
}

/// Any kind but the first in a share of the cases.
template <typename Kind>
Kind seldom_first(Dice& dice, std::size_t count, double share) {
  return static_cast<Kind>(dice.chance(1 - share) ? 0 : 1 + dice.below(count - 1));
}

/// Colours can be told by their names.
bool coloured(const Scene& scene) {
  return scene.palette == Palette::natural && scene.style != Style::pencil && scene.style != Style::ink;
}

Tint usual_tint(Subject subject) {
  switch (subject) {
    case Subject::lighthouse:
    case Subject::mushroom:
    case Subject::balloon:
    case Subject::rocket:
      return Tint::red;
    case Subject::planet:
    case Subject::cat:
    case Subject::fish:
    case Subject::butterfly:
      return Tint::orange;
    case Subject::dragon:
      return Tint::green;
    case Subject::bird:
      return Tint::blue;
    case Subject::ship:
      return Tint::white;
    default:
      return Tint::own;
  }
}

/// What is shown; where and how comes later.
Scene draw(Dice& dice, const WorldMix& mix) {
  Scene scene;
  scene.sky = any<Sky>(dice, sky_count);
  // An empty landscape half as often as any one subject.
  scene.subject = static_cast<Subject>((dice.below(2 * subject_count - 1) + 1) / 2);
  do scene.ground = any<Ground>(dice, ground_count);
  while (!subject_fits(scene.subject, scene.ground));
  scene.style = seldom_first<Style>(dice, style_count, mix.styled);
  scene.palette = seldom_first<Palette>(dice, palette_count, mix.coloured);
  const bool tinted = dice.chance(1.0 / 3);
  const Tint tint = static_cast<Tint>(1 + dice.below(tint_count - 1));
  if (tinted && coloured(scene) && tintable(scene.subject) && tint != usual_tint(scene.subject)) scene.tint = tint;
  const bool rough = dice.chance(scene.sky == Sky::storm ? 0.8 : 0.25);
  scene.rough = rough && has_sea(scene.ground);
  return scene;
}

Scene vary(Scene scene, Dice& dice, double variety) {
  compose(scene);
  const auto about = [&](double middle, double room) { return middle + variety * dice.uniform(-room, room); };
  const double horizon = about(scene.horizon, 0.04);
  scene.base += horizon - scene.horizon;
  scene.horizon = horizon;
  scene.x = about(scene.x, scene.ground == Ground::cliff ? 0.04 : 0.08);
  scene.size *= about(1, 0.12);
  scene.base = about(scene.base, 0.025);
  scene.size = std::min(scene.size, (scene.base - 0.02) / 1.05);  // No roof or flag above the picture's rim.
  scene.mirrored = variety >= 0.5 && dice.chance(0.5);
  const std::uint64_t detail = dice.bits();
  scene.detail = variety < 1 ? detail % (1 + static_cast<std::uint64_t>(8 * variety)) : detail;
  return scene;
}

Scene scene_of(std::uint64_t seed, const WorldMix& mix, bool want_held_out) {
  Dice dice(seed, DicePurpose::scene);
  Scene scene = draw(dice, mix);
  while (held_out(scene) != want_held_out) scene = draw(dice, mix);
  return vary(scene, dice, mix.variety);
}

template <typename Kind>
Kind another(Dice& dice, Kind now, std::size_t count) {
  const auto place = static_cast<std::size_t>(now);
  return static_cast<Kind>((place + 1 + dice.below(count - 1)) % count);
}

/// With one thing changed, whether or not what results can be.
Scene changed(Scene scene, Dice& dice, double variety) {
  if (dice.chance(0.5)) {
    scene.style = another(dice, scene.style, style_count);
    return scene;
  }
  switch (dice.below(4)) {
    case 0:
      scene.palette = another(dice, scene.palette, palette_count);
      return scene;
    case 1:
      scene.sky = another(dice, scene.sky, sky_count);
      return scene;
    case 2:
      scene.subject = another(dice, scene.subject, subject_count);
      break;
    default:
      scene.ground = another(dice, scene.ground, ground_count);
  }
  return vary(scene, dice, variety);
}

}  // namespace

bool in_the_air(Subject subject) {
  switch (subject) {
    case Subject::balloon:
    case Subject::planet:
    case Subject::bird:
    case Subject::butterfly:
    case Subject::rocket:
    case Subject::dragon:
      return true;
    default:
      return false;
  }
}

bool subject_fits(Subject subject, Ground ground) {
  switch (subject) {
    case Subject::ship:
    case Subject::whale:
    case Subject::fish:
      return ground == Ground::sea;
    case Subject::bridge:
      return ground == Ground::sea || ground == Ground::mountains;
    case Subject::pyramid:
      return ground == Ground::desert || ground == Ground::snow || ground == Ground::meadow;
    case Subject::cat:
    case Subject::flower:
      return ground != Ground::sea;
    default:
      return true;
  }
}

bool tintable(Subject subject) {
  switch (subject) {
    case Subject::lighthouse:
    case Subject::ship:
    case Subject::house:
    case Subject::mushroom:
    case Subject::balloon:
    case Subject::tower:
    case Subject::flower:
    case Subject::planet:
    case Subject::bird:
    case Subject::cat:
    case Subject::fish:
    case Subject::butterfly:
    case Subject::rocket:
    case Subject::dragon:
      return true;
    default:
      return false;
  }
}

bool has_sea(Ground ground) { return ground == Ground::sea || ground == Ground::cliff; }

Tint shown_tint(const Scene& scene) {
  if (!coloured(scene)) return Tint::own;
  return scene.tint != Tint::own ? scene.tint : usual_tint(scene.subject);
}

bool held_out(const Scene& scene) {
  std::uint64_t combination = 0;
  const auto append = [&](auto kind, std::size_t count) {
    combination = combination * count + static_cast<std::uint64_t>(kind);
  };
  append(scene.subject, subject_count);
  append(scene.sky, sky_count);
  append(scene.ground, ground_count);
  append(scene.style, style_count);
  append(scene.palette, palette_count);
  return splitmix64(combination) % 10 == 0;
}

Scene random_scene(std::uint64_t seed, const WorldMix& mix) { return scene_of(seed, mix, false); }
Scene held_out_scene(std::uint64_t seed, const WorldMix& mix) { return scene_of(seed, mix, true); }

Scene near_miss(const Scene& scene, std::uint64_t seed, const WorldMix& mix) {
  Dice dice(seed, DicePurpose::near_miss);
  Scene other;
  do other = changed(scene, dice, mix.variety);
  while (!subject_fits(other.subject, other.ground) || held_out(other));
  if (!coloured(other) || !tintable(other.subject) || other.tint == usual_tint(other.subject)) other.tint = Tint::own;
  other.rough = other.rough && has_sea(other.ground);
  return other;
}

void compose(Scene& scene) {
  scene.horizon = 0.63;
  scene.x = 0.5;
  scene.base = scene.horizon + 0.2;
  scene.size = 0.68;
  scene.mirrored = false;
  scene.detail = 0;
  switch (scene.subject) {
    case Subject::lighthouse:
    case Subject::tower:
      scene.size = 0.74;
      break;
    case Subject::house:
    case Subject::ship:
      scene.size = 0.62;
      break;
    case Subject::cat:
    case Subject::pyramid:
      scene.size = 0.56;
      break;
    case Subject::bridge:
      scene.size = 0.5;
      scene.base = scene.horizon + 0.16;
      break;
    case Subject::whale:
    case Subject::fish:
      scene.size = 0.5;
      break;
    case Subject::balloon:
      scene.base = 0.72;
      scene.size = 0.64;
      break;
    case Subject::planet:
      scene.base = 0.56;
      scene.size = 0.46;
      break;
    case Subject::bird:
    case Subject::butterfly:
    case Subject::dragon:
      scene.base = 0.68;
      scene.size = 0.56;
      break;
    case Subject::rocket:
      scene.base = 0.76;
      scene.size = 0.68;
      break;
    default:
      break;
  }
  // The headland is on the right.
  if (scene.ground == Ground::cliff && !in_the_air(scene.subject)) {
    scene.x = 0.62;
    scene.base = scene.horizon + 0.1;
    scene.size *= 0.9;
  }
}

}  // namespace disco

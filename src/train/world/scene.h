// The little world that the pocket models learn: what a picture shows, as a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace disco {

enum class Sky { day, sunset, night, storm, dawn };
enum class Ground { sea, meadow, desert, snow };
enum class Subject { nothing, lighthouse, castle, tree, ship, windmill, house, mushroom, balloon };

constexpr std::size_t sky_count = 5, ground_count = 4, subject_count = 9;

/// Lengths are shares of the picture's side; y runs down from the top.
struct Scene {
  Sky sky = Sky::day;
  Ground ground = Ground::sea;
  Subject subject = Subject::nothing;
  double horizon = 0.64;     ///< y where the sky meets the ground.
  double x = 0.5;            ///< The subject's middle.
  double base = 0.8;         ///< y of the subject's foot (of the basket, for a balloon).
  double size = 0.65;        ///< The subject's height.
  bool mirrored = false;     ///< Left and right exchanged, the subject too.
  std::uint64_t detail = 0;  ///< Seed of clouds, waves, flowers and the like.
};

/// Sample `seed` of the world: every sky, ground and subject is about equally likely; ships are always at sea.
/// `variety` from 0 to 1 says how much scenes of the same things differ: 0 paints them in one place with the same
/// clouds, waves and flowers, which a small model learns in minutes; 1 uses the whole room, mirrors, and draws all
/// details anew.
Scene random_scene(std::uint64_t seed, double variety = 1);

}  // namespace disco

// The little world that the pocket models learn: what a picture shows, as a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace disco {

enum class Sky { day, sunset, night, storm, dawn, aurora };
enum class Ground { sea, meadow, desert, snow, mountains, forest, city, cliff };
enum class Subject {
  nothing,
  lighthouse,
  castle,
  tree,
  ship,
  windmill,
  house,
  mushroom,
  balloon,
  tower,
  bridge,
  flower,
  planet,
  whale,
  bird,
  cat,
  fish,
  butterfly,
  rocket,
  pyramid,
  dragon
};
/// How the picture was made; `plain` is the flat painting that the others start from.
enum class Style { plain, oil, watercolour, pixel_art, pencil, ink, stained_glass, low_poly, impressionist, poster };
/// The colours of the whole picture.
enum class Palette { natural, pastel, neon, sepia, monochrome, red, yellow, green, blue, purple };
/// The colour of the subject; `own` is what it usually has (a mushroom is red).
enum class Tint { own, red, orange, yellow, green, blue, purple, white };

constexpr std::size_t sky_count = 6, ground_count = 8, subject_count = 21;
constexpr std::size_t style_count = 10, palette_count = 10, tint_count = 8;

/// Lengths are shares of the picture's side; y runs down from the top.
struct Scene {
  Sky sky = Sky::day;
  Ground ground = Ground::sea;
  Subject subject = Subject::nothing;
  Style style = Style::plain;
  Palette palette = Palette::natural;
  Tint tint = Tint::own;
  bool rough = false;        ///< The sea, or that below the cliff, is high; whatever the sky is.
  double horizon = 0.64;     ///< y where the sky meets the ground.
  double x = 0.5;            ///< The subject's middle.
  double base = 0.8;         ///< y of the subject's foot, or of its lowest point in the air.
  double size = 0.65;        ///< The subject's height.
  bool mirrored = false;     ///< Left and right exchanged, the subject too.
  std::uint64_t detail = 0;  ///< Seed of clouds, waves, flowers, brush strokes and the like.
};

/// Ships, whales and fish are at sea, bridges over water, pyramids on open land; cats and flowers need firm ground.
bool subject_fits(Subject subject, Ground ground);
/// Whether the subject hangs in the sky, over any ground.
bool in_the_air(Subject subject);
/// Whether "a red …" and the like can be drawn.
bool tintable(Subject subject);
/// Whether there is a sea that can be rough.
bool has_sea(Ground ground);

/// The colour that someone would call the subject's: its tint, else the one that such a subject usually has; `own`
/// where neither can be seen, as in a drawing, under another palette, or on a subject of many colours.
Tint shown_tint(const Scene& scene);

/// A tenth of the combinations of subject, sky, ground, style and palette, always the same ones, which no training
/// sees: prompts for them test whether a model puts together what it knows.
bool held_out(const Scene& scene);

/// How wide the world is. A small model learns a narrow one in minutes; it may be widened on the way.
struct WorldMix {
  /// 0 … 1, how much scenes of the same things differ: 0 paints them in one place with the same clouds, waves and
  /// flowers; 1 uses the whole room, mirrors, and draws all details anew.
  double variety = 1;
  double styled = 0.5;    ///< Share of pictures with a style other than plain.
  double coloured = 0.5;  ///< Share of pictures with a palette other than natural.
  /// Share of every second picture that shows what the one before it shows but for one thing (near_miss()). A caption
  /// tells two scenes of a batch apart by whatever is easiest; of a near miss it must know the one thing.
  double near_misses = 0;
};

/// Sample `seed` of the world, never of a held-out combination. Every sky and subject is about equally likely, and
/// every ground among those that the subject fits; style and palette are drawn independently; subjects are tinted in a
/// third of the pictures whose colours can show it. What is shown does not depend on the variety.
Scene random_scene(std::uint64_t seed, const WorldMix& mix = {});
/// The same, of held-out combinations only.
Scene held_out_scene(std::uint64_t seed, const WorldMix& mix = {});
/// The scene with another style, in half of the cases, or with another subject, sky, ground or palette. A new subject
/// or ground is composed anew. Never of a held-out combination.
Scene near_miss(const Scene& scene, std::uint64_t seed, const WorldMix& mix = {});
/// Puts the horizon and the subject of the scene in their usual places, with the detail seed 0.
void compose(Scene& scene);

}  // namespace disco

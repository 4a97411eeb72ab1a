#include "train/paint_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "train/world/captions.h"
#include "train/world/paint.h"
#include "train/world/words.h"

namespace disco {
namespace {

constexpr int captions_of_each = 3;
/// Scenes are drawn until one fits; about this many are enough for the rarest combination of all five words.
constexpr int most_tries = 2'000'000;

/// The kind that a word stands for, among all lists of synonyms.
template <typename Kind>
std::optional<Kind> named(const std::string& word, std::size_t count, const char* key,
                          std::initializer_list<Words (*)(Kind)> lists) {
  if (word.empty()) return std::nullopt;
  const std::string wanted = lower_case(word);
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < count; ++i) {
    const Kind kind = static_cast<Kind>(i);
    for (const auto& list : lists) {
      for (const std::string_view name : list(kind)) {
        if (name == wanted || without_article(name) == wanted) return kind;
      }
    }
    known.push_back(without_article((*lists.begin())(kind).front()));
  }
  throw RequestError(fmt::format("the painter has no such {}: {}", key, word), fmt::format("--{}", key),
                     fmt::format("it has: {}", fmt::join(known, ", ")));
}

struct Wanted {
  std::optional<Subject> subject;
  std::optional<Sky> sky;
  std::optional<Ground> ground;
  std::optional<Style> style;
  std::optional<Palette> palette;

  explicit Wanted(const PaintRequest& r)
      : subject(named<Subject>(r.subject, subject_count, "subject", {subject_words})),
        sky(named<Sky>(r.sky, sky_count, "sky", {sky_nouns, sky_clauses})),
        ground(named<Ground>(r.ground, ground_count, "ground", {ground_nouns, ground_clauses})),
        style(named<Style>(r.style, style_count, "style", {style_tags, style_openings})),
        palette(named<Palette>(r.palette, palette_count, "palette", {palette_tags, palette_clauses})) {}

  /// Style and palette are drawn apart from what is shown, so that they can be put in their place.
  void dress(Scene& scene) const {
    if (style) scene.style = *style;
    if (palette) scene.palette = *palette;
  }
  bool fits(const Scene& scene) const {
    return (!subject || scene.subject == *subject) && (!sky || scene.sky == *sky) &&
           (!ground || scene.ground == *ground) && !held_out(scene);
  }
};

Scene next_scene(const Wanted& wanted, const PaintRequest& request, std::uint64_t& state) {
  for (int i = 0; i < most_tries; ++i) {
    Scene scene = random_scene(state = splitmix64(state), {request.variety, request.styled, request.coloured});
    wanted.dress(scene);
    if (wanted.fits(scene)) return scene;
  }
  throw RequestError("no picture shows all of this together", fmt::format("{} {}", request.subject, request.ground),
                     "leave one of the words out");
}

void check(const PaintRequest& request) {
  if (request.count < 1 || request.count > 1'000'000) {
    throw RequestError("it must be 1 to 1000000", "--count");
  }
  if (request.side < 16 || request.side > 2048) throw RequestError("it must be 16 to 2048", "--side");
  for (const auto& [share, flag] : {std::pair{request.variety, "--variety"}, std::pair{request.styled, "--styled"},
                                    std::pair{request.coloured, "--coloured"}}) {
    if (!(share >= 0 && share <= 1)) throw RequestError("it is a share from 0 to 1", flag);
  }
  std::error_code error;
  if (fs::exists(request.folder, error) && !(fs::is_directory(request.folder, error) && fs::is_empty(request.folder))) {
    throw RequestError("pictures are painted into an empty folder only, and this is none", request.folder.string(),
                       "choose another folder");
  }
}

}  // namespace

void paint_folder(const PaintRequest& request, TrainEvents& events) {
  check(request);
  const Wanted wanted(request);
  std::uint64_t state = splitmix64(request.seed);
  const auto start = std::chrono::steady_clock::now();
  for (int k = 1; k <= request.count; ++k) {
    const Scene scene = next_scene(wanted, request, state);
    const fs::path picture = request.folder / fmt::format("{:06}.png", k);
    write_picture(picture, paint(scene, request.side));
    std::string lines;
    for (int i = 0; i < captions_of_each; ++i) {
      lines += caption(scene, splitmix64(state + static_cast<std::uint64_t>(i))).text + "\n";
    }
    write_file(fs::path(picture).replace_extension(".txt"), lines);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    events.progress({.step = k,
                     .steps = request.count,
                     .samples_per_second = k / seconds,
                     .seconds_left = seconds / k * (request.count - k)});
    if (k < request.count && events.stop_asked()) {
      throw Interrupted(fmt::format("{} of {} pictures were painted", k, request.count), request.folder.string(),
                        "they can be used as they are");
    }
  }
}

}  // namespace disco

extern "C" void disco_paint_folder(const disco::PaintRequest& request, disco::TrainEvents& events) {
  disco::paint_folder(request, events);
}

#include "settings/importers/progrock_values.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/text.h"
#include "settings/advice.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

/// "<a|b|c>" is a draw among its parts, "<^^2|a|b|c>" a draw of two: the first ones are taken.
std::string first_choices(std::string text) {
  for (std::size_t open = 0; (open = text.find('<', open)) != std::string::npos;) {
    const std::size_t close = text.find('>', open);
    if (close == std::string::npos) break;
    std::vector<std::string> parts = split(text.substr(open + 1, close - open - 1), '|');
    std::size_t count = 1;
    if (parts.front().rfind("^^", 0) == 0) {
      count = std::strtoul(parts.front().c_str() + 2, nullptr, 10);
      parts.erase(parts.begin());
    }
    parts.resize(std::min(count, parts.size()));
    const std::string chosen = join(parts, " ");
    text.replace(open, close - open + 1, chosen);
    open += chosen.size();
  }
  return text;
}

/// What "random" draws from.
struct RandomRange {
  const char* key;
  double from, to;
};
constexpr RandomRange random_ranges[] = {{"clip_guidance_scale", 1500, 100000},
                                         {"tv_scale", 0, 1000},
                                         {"range_scale", 0, 1000},
                                         {"sat_scale", 0, 20000},
                                         {"clamp_max", 0.001, 0.3},
                                         {"rand_mag", 0, 0.999},
                                         {"eta", 0, 0.999},
                                         {"cut_ic_pow", 0, 100}};

/// Rounds as Python does: half to even.
double round_to(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::nearbyint(value * scale) / scale;
}

double linear(double x, double x0, double x1, double y0, double y1) {
  return std::clamp(y0 + (x - x0) * (y1 - y0) / (x1 - x0), std::min(y0, y1), std::max(y0, y1));
}

double auto_guidance(const Settings& settings) {
  const auto pixels = static_cast<double>(settings.width * settings.height);
  return round_to(linear(pixels, 250000, 2000000, 2500, 50000), 0);
}

double auto_eta(const Settings& settings) {
  return round_to(linear(static_cast<double>(settings.steps), 50, 315, 0, 1), 2);
}

void resolve_auto(Conversion& conversion, const std::string& key, double value, const std::string& reason) {
  if (conversion[key] != "auto") return;
  conversion.take(key, key, value);
  conversion.note(fmt::format("{} was \"auto\", which is {} {}", key, value, reason));
}

}  // namespace

Json settle_draws(const Json& object, std::vector<std::string>& notes) {
  Json settled = object;
  for (auto& [key, value] : settled.items()) {
    if (!value.is_string() || value.get<std::string>().find('<') == std::string::npos) continue;
    const std::string written = value.get<std::string>(), chosen = first_choices(written);
    notes.push_back(
        fmt::format("{}: of {}, which is drawn anew for each run there, {} was taken", key, written, chosen));
    value = chosen;
  }
  return settled;
}

void ignore_random(Conversion& conversion) {
  for (const RandomRange& range : random_ranges) {
    if (conversion[range.key] != "random") continue;
    conversion.ignore(range.key,
                      fmt::format("random: a value from {} to {} is drawn for each run there; the default is used",
                                  range.from, range.to));
  }
  if (conversion["diffusion_model"] == "random") {
    conversion.ignore("diffusion_model", "random: a model is drawn for each run there; the default is used");
  }
}

void resolve_auto_values(Conversion& conversion) {
  const Settings known = conversion.so_far();
  const std::string at_steps = fmt::format("for {} steps", known.steps);
  resolve_auto(conversion, "clip_guidance_scale", auto_guidance(known),
               fmt::format("for {} × {}", known.width, known.height));
  resolve_auto(conversion, "clamp_max", usual_clamp_max(known.steps, known.use_secondary_model),
               at_steps + (known.use_secondary_model ? "" : " without the secondary model"));
  resolve_auto(conversion, "eta", auto_eta(known), at_steps);
}

}  // namespace disco

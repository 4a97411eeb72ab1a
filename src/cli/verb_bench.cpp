// bench: what the models are worth, measured.
#include <fmt/format.h>

#include "cli/engine_library.h"
#include "cli/interrupt.h"
#include "cli/settings_request.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace disco {
namespace {

/// Progress as a line every ten pictures, or as one JSON object a picture.
class MeasurementTold : public BenchEvents {
 public:
  explicit MeasurementTold(const CommandLine& line) : json_(line.text("--progress") == "json") {}

  void drawn(const std::string& of, int done, int all) override {
    if (json_) {
      const nlohmann::ordered_json event = {{"event", "drawn"}, {"of", of}, {"done", done}, {"all", all}};
      fmt::print(stderr, "{}\n", event.dump());
    } else if (done == all || done % 10 == 0) {
      fmt::print(stderr, "{}: {} of {} pictures\n", of, done, all);
    }
  }

 private:
  bool json_;
};

std::string share(const AdherenceScore& score) { return fmt::format("{:.0f} %", 100.0 * score.right / score.asked); }

/// Attributes down, arms across, and what guessing would get.
std::string as_table(const AdherenceResult& result) {
  std::vector<std::vector<std::string>> rows(1, {"shown as asked"});
  for (const AdherenceResult::Arm& arm : result.arms) rows[0].push_back(arm.name);
  rows[0].emplace_back("by guessing");
  const std::vector<AdherenceScore>& first = result.arms.front().scores;
  for (std::size_t i = 0; i < first.size(); ++i) {
    std::vector<std::string> row = {first[i].attribute};
    for (const AdherenceResult::Arm& arm : result.arms) row.push_back(share(arm.scores[i]));
    row.push_back(fmt::format("{:.0f} %", 100 * first[i].chance));
    rows.push_back(row);
  }
  return text_table(rows);
}

/// The settings that are measured, and what both measurements are asked alike.
template <typename Request>
Request request_of(const CommandLine& line, Reporter& reporter) {
  CommandLine without_prompt = line;
  without_prompt.operands.clear();
  std::vector<SettingsLayer> layers = settings_layers(without_prompt, SettingsUse::show, reporter);
  Request request;
  request.engine = engine_options(line);
  request.settings = request_settings(std::move(layers), SettingsUse::show, load_engine(line).get(), reporter).settings;
  if (!request.settings.text_prompts.empty() || !request.settings.image_prompts.empty()) {
    throw RequestError("the prompts are always the same ones", "disco bench", "leave yours out");
  }
  request.out = line.text("--out", request.out.string());
  request.judge = line.text("--judge", request.judge);
  request.prompts = line.whole_number("--prompts", request.prompts, 1);
  return request;
}

constexpr auto stopping = "disco: stopping after this picture; the same command goes on from there\n";

int bench_adherence(const CommandLine& line, Reporter& reporter) {
  auto request = request_of<AdherenceRequest>(line, reporter);
  request.each_clip = line.has("--each-clip");
  const InterruptGuard guard(stopping);
  request.interrupt = &guard.flag();
  MeasurementTold events(line);
  AdherenceResult result;
  load_adherence()(request, events, result);
  print(as_table(result));
  for (const AdherenceResult::Arm& arm : result.arms)
    reporter.note(fmt::format("{}: {}", arm.name, arm.sheet.string()));
  return 0;
}

int bench_effects(const CommandLine& line, Reporter& reporter) {
  auto request = request_of<EffectsRequest>(line, reporter);
  request.secondary_model = line.text("--secondary", request.secondary_model);
  request.only = line.text("--only");
  const InterruptGuard guard(stopping);
  request.interrupt = &guard.flag();
  MeasurementTold events(line);
  EffectsResult result;
  load_effects()(request, events, result);
  std::vector<std::vector<std::string>> rows(1, {"setting", "value", "change", "contrast", "as asked"});
  for (const Effect& effect : result.effects) {
    rows.push_back({effect.variant.group.empty() ? "unchanged" : effect.variant.group, effect.variant.label,
                    fmt::format("{:.1f}", effect.change), fmt::format("{:.1f}", effect.contrast),
                    fmt::format("{:.2f}", effect.judged)});
  }
  print(text_table(rows));
  for (const auto& sheet : result.sheets) reporter.note(sheet.string());
  return 0;
}

int bench(const CommandLine& line, Reporter& reporter) {
  const std::string what = line.operands.size() == 1 ? line.operands[0] : "";
  if (what != "adherence" && what != "effects") {
    throw RequestError("it measures one of: adherence, effects", "disco bench", "write: disco bench adherence");
  }
  const std::vector<std::string> of_others =
      what == "adherence" ? std::vector<std::string>{"--only", "--secondary"} : std::vector<std::string>{"--each-clip"};
  for (const std::string& flag : of_others) {
    if (line.has(flag)) throw RequestError(fmt::format("bench {} has no such flag", what), flag, "leave it out");
  }
  return what == "adherence" ? bench_adherence(line, reporter) : bench_effects(line, reporter);
}

}  // namespace

Verb bench_verb() {
  std::vector<Flag> flags = {
      {"--out", "DIR", "pictures, contact sheets and what was measured, as JSON (default adherence, effects)"},
      {"--judge", "NAME", "the model that judges (default pocket-judge)"},
      {"--prompts", "N", "the first N of the 100 prompts (default 100; effects 4)"},
      {"--each-clip", "", "adherence: draw with each CLIP model alone as well"},
      {"--only", "GROUP", "effects: one group of settings, as the table names it"},
      {"--secondary", "NAME", "effects: the secondary model that is tried (default pocket-secondary)"},
      {"--settings", "FILE", "settings from a file; repeatable, later wins"},
      {"--preset", "NAME", "a named set of settings, below all others"},
      {"--set", "KEY=VALUE", "one setting; repeatable"},
  };
  for (Flag& flag : engine_flags()) flags.push_back(flag);
  for (Flag& flag : reporting_flags()) flags.push_back(flag);
  return {"bench",
          "measure how often pictures show what was asked for, and what settings do",
          "adherence | effects [FLAGS] [--SETTING VALUE…]",
          "  Draws 100 prompts that no training has seen, with guidance and without, and lets a judge network, which\n"
          "  never guides, say whether subject, time of day, place, palette and style are there.\n"
          "  effects changes one setting at a time, and says how far the pictures move and how much of what was asked\n"
          "  for the judge still sees.\n",
          flags,
          true,
          {"adherence", "effects"},
          bench};
}

}  // namespace disco

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

class MeasurementTold : public AdherenceEvents {
 public:
  explicit MeasurementTold(bool json) : json_(json) {}

  void drawn(const std::string& arm, int done, int all) override {
    if (json_) {
      const nlohmann::ordered_json event = {{"event", "drawn"}, {"arm", arm}, {"done", done}, {"all", all}};
      fmt::print(stderr, "{}\n", event.dump());
    } else if (done == all || done % 10 == 0) {
      fmt::print(stderr, "{}: {} of {} pictures\n", arm, done, all);
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

int bench_adherence(const CommandLine& line, Reporter& reporter) {
  CommandLine without_prompt = line;
  without_prompt.operands.clear();
  std::vector<SettingsLayer> layers = settings_layers(without_prompt, SettingsUse::show, reporter);
  AdherenceRequest request;
  request.engine = engine_options(line);
  request.settings = request_settings(std::move(layers), SettingsUse::show, load_engine(line).get(), reporter).settings;
  if (!request.settings.text_prompts.empty() || !request.settings.image_prompts.empty()) {
    throw RequestError("the prompts are always the same ones", "disco bench adherence", "leave yours out");
  }
  request.out = line.text("--out", request.out.string());
  request.judge = line.text("--judge", request.judge);
  request.prompts = line.whole_number("--prompts", request.prompts, 1);
  request.each_clip = line.has("--each-clip");
  const InterruptGuard guard("disco: stopping after this picture; the same command goes on from there\n");
  request.interrupt = &guard.flag();
  MeasurementTold events(line.text("--progress") == "json");
  AdherenceResult result;
  load_adherence()(request, events, result);
  print(as_table(result));
  for (const AdherenceResult::Arm& arm : result.arms)
    reporter.note(fmt::format("{}: {}", arm.name, arm.sheet.string()));
  return 0;
}

int bench(const CommandLine& line, Reporter& reporter) {
  if (line.operands.size() != 1 || line.operands[0] != "adherence") {
    throw RequestError("it measures one of: adherence", "disco bench", "write: disco bench adherence");
  }
  return bench_adherence(line, reporter);
}

}  // namespace

Verb bench_verb() {
  std::vector<Flag> flags = {
      {"--out", "DIR", "pictures, contact sheets and adherence.json (default adherence)"},
      {"--judge", "NAME", "the model that judges (default pocket-judge)"},
      {"--prompts", "N", "only the first N of the 100 prompts"},
      {"--each-clip", "", "draw with each CLIP model alone as well"},
      {"--settings", "FILE", "settings from a file; repeatable, later wins"},
      {"--preset", "NAME", "a named set of settings, below all others"},
      {"--set", "KEY=VALUE", "one setting; repeatable"},
  };
  for (Flag& flag : engine_flags()) flags.push_back(flag);
  for (Flag& flag : reporting_flags()) flags.push_back(flag);
  return {"bench",
          "measure how often pictures show what was asked for",
          "adherence [FLAGS] [--SETTING VALUE…]",
          "  Draws 100 prompts that no training has seen, with guidance and without, and lets a judge network, which\n"
          "  never guides, say whether subject, time of day, place, palette and style are there.\n",
          flags,
          true,
          {"adherence"},
          bench};
}

}  // namespace disco

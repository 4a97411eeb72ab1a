// bench: what the models are worth, measured.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

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

/// The operand is what to measure, not a prompt.
Settings measured_settings(const CommandLine& line, Reporter& reporter) {
  CommandLine without_prompt = line;
  without_prompt.operands.clear();
  std::vector<SettingsLayer> layers = settings_layers(without_prompt, SettingsUse::show, reporter);
  return request_settings(std::move(layers), SettingsUse::show, load_engine(line).get(), reporter).settings;
}

/// The settings that are measured, and what both measurements are asked alike.
template <typename Request>
Request request_of(const CommandLine& line, Reporter& reporter) {
  Request request;
  request.engine = engine_options(line);
  request.settings = measured_settings(line, reporter);
  if (!request.settings.text_prompts.empty() || !request.settings.image_prompts.empty()) {
    throw RequestError("the prompts are always the same ones", "disco bench", "leave yours out");
  }
  request.out = line.text("--out", request.out.string());
  request.judge = line.text("--judge", request.judge);
  request.prompts = line.whole_number("--prompts", request.prompts, 1);
  return request;
}

constexpr auto stopping = "stopping after this picture; the same command goes on from there";

/// "3/8": the third of eight shares.
void take_share(const std::string& text, BenchRequest& request) {
  int share = 0, shares = 0;
  char slash = 0;
  std::istringstream in(text);
  if (!(in >> share >> slash >> shares) || slash != '/' || !in.eof() || share < 1 || share > shares) {
    throw RequestError("a share is written K/N: of N processes this is the K-th", "--share", "write for example 3/8");
  }
  request.share = share - 1;
  request.shares = shares;
}

int bench_adherence(const CommandLine& line, Reporter& reporter) {
  auto request = request_of<AdherenceRequest>(line, reporter);
  request.each_clip = line.has("--each-clip");
  if (line.has("--share")) take_share(line.text("--share"), request);
  const InterruptGuard guard(reporter.interrupt_notice(stopping));
  request.interrupt = &guard.flag();
  MeasurementTold events(line);
  AdherenceResult result;
  load_adherence()(request, events, result);
  if (request.shares > 1) {
    reporter.note("this share is drawn; when all are, the same command without --share measures");
    return 0;
  }
  print(as_table(result));
  for (const AdherenceResult::Arm& arm : result.arms)
    reporter.note(fmt::format("{}: {}", arm.name, arm.sheet.string()));
  return 0;
}

int bench_effects(const CommandLine& line, Reporter& reporter) {
  auto request = request_of<EffectsRequest>(line, reporter);
  request.secondary_model = line.text("--secondary", request.secondary_model);
  request.only = line.text("--only");
  const InterruptGuard guard(reporter.interrupt_notice(stopping));
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

std::string as_table(const StepResult& result) {
  std::vector<std::vector<std::string>> rows = {{"part", "seconds", "share of the step", "share of peak"}};
  for (const StepCost& part : result.parts) {
    const bool counted = part.flops > 0 && part.seconds > 0;
    rows.push_back({part.part, fmt::format("{:.3f}", part.seconds),
                    fmt::format("{:.0f} %", 100 * part.seconds / result.seconds),
                    counted ? fmt::format("{:.0f} %", 100 * part.flops / part.seconds / result.peak_flops) : ""});
  }
  rows.push_back({"the step", fmt::format("{:.3f}", result.seconds), "", ""});
  return text_table(rows);
}

nlohmann::ordered_json to_json(const StepResult& result) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const StepCost& part : result.parts) {
    nlohmann::ordered_json one = {{"part", part.part}, {"seconds", part.seconds}, {"flops", part.flops}};
    if (part.flops > 0 && part.seconds > 0) one["share_of_peak"] = part.flops / part.seconds / result.peak_flops;
    parts.push_back(std::move(one));
  }
  return {{"device", result.device},           {"seconds", result.seconds},
          {"parts", std::move(parts)},         {"loading_seconds", result.loading_seconds},
          {"peak_memory", result.peak_memory}, {"predicted_memory", result.predicted_memory},
          {"memory_plan", result.plan},        {"peak_flops", result.peak_flops},
          {"made_up", result.made_up},         {"unrecorded", result.unrecorded}};
}

int bench_step(const CommandLine& line, Reporter& reporter) {
  StepRequest request;
  request.engine = engine_options(line);
  request.settings = measured_settings(line, reporter);
  request.steps = line.whole_number("--steps-measured", request.steps, 1);
  StepResult result;
  load_step()(request, result);
  if (line.has("--json")) {
    print(to_json(result).dump(1) + "\n");
    return 0;
  }
  print(as_table(result));
  for (const std::string& name : result.made_up) {
    reporter.note(fmt::format("{} is not installed: measured with random weights in its shapes", name));
  }
  for (const auto& [name, reason] : result.unrecorded) {
    reporter.note(fmt::format("{} runs operator by operator: {}", name, reason));
  }
  if (!result.plan.empty()) reporter.note("to fit into memory: " + result.plan);
  reporter.note(fmt::format("{}; peak memory {:.2f} GiB ({:.2f} expected); a matrix product makes {:.0f} GFLOP/s",
                            result.device, static_cast<double>(result.peak_memory) / (1u << 30),
                            static_cast<double>(result.predicted_memory) / (1u << 30), result.peak_flops / 1e9));
  return 0;
}

/// The flags that not every measurement has.
const std::map<std::string, std::vector<std::string>>& own_flags() {
  static const std::map<std::string, std::vector<std::string>> flags = {
      {"adherence", {"--out", "--judge", "--prompts", "--each-clip", "--share"}},
      {"effects", {"--out", "--judge", "--prompts", "--only", "--secondary"}},
      {"step", {"--steps-measured", "--json"}},
  };
  return flags;
}

int bench(const CommandLine& line, Reporter& reporter) {
  const std::string what = line.operands.size() == 1 ? line.operands[0] : "";
  if (!own_flags().contains(what)) {
    throw RequestError("it measures one of: adherence, effects, step", "disco bench", "write: disco bench adherence");
  }
  const std::vector<std::string>& own = own_flags().at(what);
  for (const auto& [other, flags] : own_flags()) {
    for (const std::string& flag : flags) {
      if (line.has(flag) && std::find(own.begin(), own.end(), flag) == own.end()) {
        throw RequestError(fmt::format("bench {} has no such flag", what), flag, "leave it out");
      }
    }
  }
  if (what == "step") return bench_step(line, reporter);
  return what == "adherence" ? bench_adherence(line, reporter) : bench_effects(line, reporter);
}

}  // namespace

Verb bench_verb() {
  std::vector<Flag> flags = {
      {"--out", "DIR", "pictures, contact sheets and what was measured, as JSON (default adherence, effects)"},
      {"--judge", "NAME", "the model that judges (default pocket-judge)"},
      {"--prompts", "N", "N of the 100 prompts, spread evenly (default 100; effects 4)"},
      {"--each-clip", "", "adherence: draw with each CLIP model alone as well"},
      {"--share", "K/N", "adherence: draw the K-th of N shares only, so that N processes draw together"},
      {"--only", "GROUP", "effects: one group of settings, as the table names it"},
      {"--secondary", "NAME", "effects: the secondary model that is tried (default pocket-secondary)"},
      {"--steps-measured", "N", "step: how many, after one to warm up (default 3)"},
      {"--json", "", "step: what was measured as JSON"},
      {"--settings", "FILE", "settings from a file; repeatable, later wins"},
      {"--preset", "NAME", "a named set of settings, below all others"},
      {"--set", "KEY=VALUE", "one setting; repeatable"},
  };
  for (Flag& flag : engine_flags()) flags.push_back(flag);
  for (Flag& flag : reporting_flags()) flags.push_back(flag);
  return {"bench",
          "measure how often pictures show what was asked for, what settings do, and what a step costs",
          "adherence | effects | step [FLAGS] [--SETTING VALUE…]",
          "  Draws 100 prompts that no training has seen, with guidance and without, and lets a judge network, which\n"
          "  never guides, say whether subject, time of day, place, palette and style are there.\n"
          "  effects changes one setting at a time, and says how far the pictures move and how much of what was asked\n"
          "  for the judge still sees.\n"
          "  step times one guided step by part. Models that are not installed are made up in their real shapes.\n",
          flags,
          true,
          {"adherence", "effects", "step"},
          bench};
}

}  // namespace disco

// explain: settings with their origins, single settings, advice, presets, the JSON Schema, memory.
#include <fmt/format.h>

#include <algorithm>

#include "cli/engine_library.h"
#include "cli/help.h"
#include "cli/settings_request.h"
#include "cli/terminal.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "settings/advice.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::string> topics = {"settings", "advice", "presets", "schema", "memory"};

std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  text.resize(most - 3);
  while (!text.empty() && !is_utf8(text)) text.pop_back();
  return text + "…";
}

/// The settings as a run would have them. The engine knows which models are installed; it is asked where that decides
/// something, and not needed.
ResolvedSettings settings_of_a_run(const CommandLine& line, Reporter& reporter) {
  std::vector<SettingsLayer> layers = settings_layers(line, SettingsUse::show, reporter);
  std::unique_ptr<Engine> engine;
  try {
    engine = load_engine(line);
  } catch (const Error& error) {
    reporter.note(fmt::format("what installed models recommend is left out: {}", error.what()));
  }
  return request_settings(std::move(layers), SettingsUse::show, engine.get(), reporter);
}

void tell_what_a_run_refuses(const Settings& settings, Reporter& reporter) {
  if (settings.text_prompts.empty() && settings.image_prompts.empty()) return;  // Nobody asked for a run yet.
  try {
    validate(settings);
  } catch (const RequestError& error) {
    reporter.warning(fmt::format("a run would refuse this: {}", error.what()));
  }
}

void explain_settings(const CommandLine& line, Reporter& reporter) {
  const ResolvedSettings resolved = settings_of_a_run(line, reporter);
  for (const std::string& warning : resolved.warnings) reporter.warning(warning);
  tell_what_a_run_refuses(resolved.settings, reporter);
  Json object = Json::object();
  std::vector<std::vector<std::string>> rows;
  for (const SettingSpec& spec : settings_table()) {
    const Json value = get_value(resolved.settings, spec);
    const auto found = resolved.origins.find(spec.key);
    const std::string origin = found == resolved.origins.end() ? "default" : found->second;
    object[spec.key] = {{"value", value}, {"origin", origin}};
    rows.push_back({spec.key, origin, shortened(value.is_string() ? value.get<std::string>() : value.dump(), 100)});
  }
  print(line.has("--json") ? object.dump(2) + "\n" : text_table(rows));
}

void explain_advice(const CommandLine& line, Reporter& reporter) {
  const ResolvedSettings resolved = settings_of_a_run(line, reporter);
  const std::vector<Advice> findings = advise(resolved.settings);
  if (line.has("--json")) {
    Json list = Json::array();
    for (const Advice& advice : findings) {
      list.push_back({{"key", advice.key}, {"message", advice.message}, {"suggestion", advice.suggestion}});
    }
    print(list.dump(2) + "\n");
    return;
  }
  const int width = std::min(terminal_size().columns, 100);
  std::string text;
  for (const Advice& advice : findings) {
    text += advice.key + "\n  " + wrap(advice.message, width - 2, 2) + "\n";
    if (!advice.suggestion.empty()) text += "  -> " + wrap(advice.suggestion, width - 5, 5) + "\n";
  }
  print(text.empty() ? "Nothing to say against these settings.\n" : text);
}

void explain_presets(const CommandLine& line) {
  if (line.has("--json")) {
    Json list = Json::array();
    for (const Preset& preset : presets())
      list.push_back({{"name", preset.name}, {"help", preset.help}, {"values", preset.values}});
    print(list.dump(2) + "\n");
    return;
  }
  std::string text;
  for (const Preset& preset : presets()) {
    text += fmt::format("{}\n  {}\n", preset.name, preset.help);
    for (const auto& [key, value] : preset.values.items()) {
      text += fmt::format("    {} = {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  print(text);
}

Json to_json(const MemoryTable& table) {
  Json rows = Json::array();
  for (const MemoryTable::Row& row : table.rows) {
    Json cells = Json::array();
    for (const MemoryTable::Cell& cell : row.cells) {
      cells.push_back({{"bytes", cell.unplanned}, {"planned_bytes", cell.planned}});
    }
    rows.push_back({{"name", row.name}, {"cells", cells}});
  }
  return {{"title", table.title}, {"across", table.across}, {"columns", table.columns}, {"rows", rows}};
}

std::string as_text(const MemoryTable& table, const MemoryEstimate& estimate) {
  const auto cell = [&](const MemoryTable::Cell& bytes) -> std::string {
    constexpr double gib = 1u << 30;
    if (bytes.unplanned <= estimate.available) return fmt::format("{:.1f}", static_cast<double>(bytes.unplanned) / gib);
    if (bytes.planned <= estimate.available) return fmt::format("{:.1f}*", static_cast<double>(bytes.planned) / gib);
    return "-";
  };
  std::vector<std::vector<std::string>> rows = {{table.across}};
  for (const std::string& column : table.columns) rows.front().push_back(column);
  for (const MemoryTable::Row& row : table.rows) {
    rows.push_back({row.name});
    for (const MemoryTable::Cell& bytes : row.cells) rows.back().push_back(cell(bytes));
  }
  return table.title + "\n" + text_table(rows);
}

void explain_memory(const CommandLine& line, Reporter& reporter) {
  std::vector<SettingsLayer> layers = settings_layers(line, SettingsUse::show, reporter);
  const std::unique_ptr<Engine> engine = load_engine(line);
  const ResolvedSettings resolved = request_settings(std::move(layers), SettingsUse::show, engine.get(), reporter);
  const MemoryEstimate estimate = engine->estimate(resolved.settings);
  if (line.has("--json")) {
    Json parts = Json::array();
    for (const auto& [name, bytes] : estimate.parts) parts.push_back({{"part", name}, {"bytes", bytes}});
    Json tables = Json::array();
    for (const MemoryTable& table : engine->memory_tables(resolved.settings)) tables.push_back(to_json(table));
    print(Json{{"parts", parts},
               {"peak", estimate.peak},
               {"available", estimate.available},
               {"fits", estimate.fits()},
               {"plan", plan_text(estimate.plan)},
               {"without_plan", estimate.unplanned_peak},
               {"suggestion", estimate.suggestion},
               {"tables", tables}}
              .dump(2) +
          "\n");
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, bytes] : estimate.parts) rows.push_back({name, byte_size(static_cast<double>(bytes))});
  rows.push_back({"peak", byte_size(static_cast<double>(estimate.peak))});
  rows.push_back({"available", byte_size(static_cast<double>(estimate.available))});
  const std::string plan = plan_text(estimate.plan);
  std::string text = text_table(rows);
  if (!estimate.fits()) {
    text += "It does not fit.\n";
  } else if (plan.empty()) {
    text += "It fits.\n";
  } else {
    text += fmt::format("It fits with {}; else it would take {}.\n", plan,
                        byte_size(static_cast<double>(estimate.unplanned_peak)));
  }
  if (!estimate.suggestion.empty()) text += estimate.suggestion + "\n";
  for (const MemoryTable& table : engine->memory_tables(resolved.settings)) text += "\n" + as_text(table, estimate);
  text +=
      "\nIn GiB. With a *, memory as it is now needs a plan: fewer cuts at a time, the UNet's activations\n"
      "computed twice, or large layers' weights in half precision (only that can change the picture, a\n"
      "little). A - does not fit.\n";
  print(text);
}

void explain_key(const CommandLine& line, std::string key) {
  if (key.starts_with("--")) key.erase(0, 2);
  const SettingSpec* spec = find_setting(key);
  if (spec == nullptr) {
    std::vector<std::string> known = topics;
    for (const SettingSpec& candidate : settings_table()) known.push_back(candidate.key);
    const auto nearest = nearest_word(key, known);
    throw RequestError(fmt::format("there is no setting '{}'", key), "disco explain",
                       nearest ? fmt::format("did you mean {}?", *nearest) : "disco explain --settings lists them all");
  }
  if (line.has("--json")) {
    print(settings_schema()["properties"][spec->key].dump(2) + "\n");
  } else {
    print(setting_entry(*spec, std::min(terminal_size().columns, 100)));
  }
}

int explain(const CommandLine& original, Reporter& reporter) {
  // `--settings` without a file is the topic; else the first operand is. The other operands are prompts.
  CommandLine line = original;
  std::string topic = "settings";
  std::vector<std::string>& files = line.flags["--settings"];
  const bool asked = std::erase(files, "") > 0 || line.operands.empty();
  if (!asked) {
    topic = line.operands.front();
    line.operands.erase(line.operands.begin());
  } else if (original.flags.empty() && line.settings.empty()) {
    throw RequestError("it needs a topic", "disco explain",
                       fmt::format("write disco explain {}, or the key of a setting", join(topics, "|")));
  }
  if (topic == "settings") {
    explain_settings(line, reporter);
  } else if (topic == "advice") {
    explain_advice(line, reporter);
  } else if (topic == "presets") {
    explain_presets(line);
  } else if (topic == "schema") {
    print(settings_schema().dump(2) + "\n");
  } else if (topic == "memory") {
    explain_memory(line, reporter);
  } else {
    explain_key(line, topic);
  }
  return 0;
}

}  // namespace

Verb explain_verb() {
  std::vector<Flag> flags = settings_flags();
  flags.push_back({"--json", "", "print JSON"});
  for (Flag& flag : engine_flags()) flags.push_back(flag);
  return {"explain",
          "what settings do, which values hold and where they came from",
          "TOPIC|KEY [FLAGS]",
          "  --settings, settings  every value with its origin, for the flags given (any of run)\n"
          "  KEY                   what a setting does, its default and its range\n"
          "  advice                what the community's experience says about the settings given\n"
          "  presets               the named sets of settings\n"
          "  schema                the JSON Schema of settings files\n"
          "  memory                what a run with the settings given would need",
          flags,
          true,
          topics,
          explain};
}

}  // namespace disco

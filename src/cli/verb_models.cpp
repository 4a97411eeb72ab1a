// models: which there are, and how to get, add, check and remove them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "cli/engine_library.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::string> actions = {"list", "inspect", "add", "verify", "pull", "remove"};

double size_on_disk(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<double>(size);
}

Json as_json(const ModelEntry& model) {
  return {{"name", model.name},
          {"role", model.role},
          {"weights", model.weights.string()},
          {"bytes", size_on_disk(model.weights)},
          {"sha256", model.sha256},
          {"config", model.config}};
}

void list(const CommandLine& line, Engine& engine) {
  const std::vector<ModelEntry> installed = engine.list_models();
  std::set<std::string> names;
  for (const ModelEntry& model : installed) names.insert(model.name);
  if (line.has("--json")) {
    Json result = {{"installed", Json::array()}, {"known", Json::array()}};
    for (const ModelEntry& model : installed) result["installed"].push_back(as_json(model));
    for (const CatalogEntry& model : engine.known_models()) {
      result["known"].push_back({{"name", model.name},
                                 {"role", model.role},
                                 {"disco_key", model.disco_key},
                                 {"note", model.note},
                                 {"urls", model.urls},
                                 {"sha256", model.sha256},
                                 {"installed", names.contains(model.name)}});
    }
    print(result.dump(2) + "\n");
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const ModelEntry& model : installed) {
    rows.push_back({"  " + model.name, model.role, byte_size(size_on_disk(model.weights)), model.weights.string()});
  }
  std::string text = rows.empty() ? "No models are installed.\n" : "Installed\n" + text_table(rows);
  rows.clear();
  for (const CatalogEntry& model : engine.known_models()) {
    if (!names.contains(model.name)) rows.push_back({"  " + model.name, model.role, model.note});
  }
  if (!rows.empty()) text += "\nKnown, to get with: disco models pull NAME\n" + text_table(rows);
  print(text);
}

void inspect(const CommandLine& line, Engine& engine, const std::string& file) {
  require_file(file, "name a weights file");
  const FileInspection seen = engine.inspect(file);
  if (line.has("--json")) {
    Json tensors = Json::array();
    for (const TensorSummary& tensor : seen.tensors) {
      tensors.push_back({{"name", tensor.name}, {"dtype", tensor.dtype}, {"shape", tensor.shape}});
    }
    print(Json{{"format", seen.format},
               {"role", seen.role},
               {"config", seen.config},
               {"parameters", seen.parameters},
               {"metadata", seen.metadata},
               {"tensors", tensors}}
              .dump(2) +
          "\n");
    return;
  }
  std::string text =
      fmt::format("{}\n  format      {}\n  role        {}\n  parameters  {}\n  tensors     {}\n", file, seen.format,
                  seen.role.empty() ? "not recognised" : seen.role, seen.parameters, seen.tensors.size());
  if (!seen.config.empty()) text += "  configuration\n" + text_outline(seen.config, 4);
  if (!seen.metadata.empty()) text += "  metadata\n" + text_outline(Json(seen.metadata), 4);
  if (line.has("--tensors")) {
    std::vector<std::vector<std::string>> rows;
    for (const TensorSummary& tensor : seen.tensors)
      rows.push_back({"  " + tensor.name, tensor.dtype, Json(tensor.shape).dump()});
    text += text_table(rows);
  }
  print(text);
}

int verify(const CommandLine& line, Engine& engine) {
  const auto verdicts = engine.verify_models();
  const bool good = std::all_of(verdicts.begin(), verdicts.end(), [](const auto& verdict) { return verdict.good; });
  if (line.has("--json")) {
    Json result = Json::array();
    for (const auto& verdict : verdicts) {
      result.push_back({{"name", verdict.model.name},
                        {"weights", verdict.model.weights.string()},
                        {"good", verdict.good},
                        {"message", verdict.message}});
    }
    print(result.dump(2) + "\n");
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& verdict : verdicts)
      rows.push_back({verdict.good ? "good" : "BAD", verdict.model.name, verdict.message});
    print(rows.empty() ? "No models are installed.\n" : text_table(rows));
  }
  return good ? 0 : static_cast<int>(ExitStatus::failed);
}

void pull(const CommandLine& line, Engine& engine, const std::vector<std::string>& names, Reporter& reporter) {
  const InterruptGuard guard(
      reporter.interrupt_notice("stopping; what has arrived is kept, and the same command goes on from there"));
  for (const std::string& name : names) {
    ModelStore::PullOptions options;
    options.offline = line.has("--offline");
    auto last = std::chrono::steady_clock::time_point{};
    options.progress = [&](std::uint64_t done, std::uint64_t all) {
      // The network tells more often than anybody can read.
      const auto now = std::chrono::steady_clock::now();
      if (now - last > std::chrono::milliseconds(200) || done == all) {
        last = now;
        reporter.downloading(name, done, all);
      }
      return !guard.flag().load();
    };
    const ModelEntry model = engine.pull_model(name, options);
    reporter.note(fmt::format("{} is there: {}", model.name, model.weights.string()));
  }
}

int models(const CommandLine& line, Reporter& reporter) {
  const std::string action = line.operands.empty() ? "list" : line.operands.front();
  const std::vector<std::string> rest(line.operands.begin() + (line.operands.empty() ? 0 : 1), line.operands.end());
  if (std::find(actions.begin(), actions.end(), action) == actions.end()) {
    const auto nearest = nearest_word(action, actions);
    throw RequestError(
        fmt::format("'disco models' does not know '{}'", action), {},
        nearest ? fmt::format("did you mean 'disco models {}'?", *nearest) : "it knows " + join(actions, ", "));
  }
  const bool alone = action == "list" || action == "verify";
  if (alone && !rest.empty())
    throw RequestError(fmt::format("'{}' is too much", rest.front()), "disco models " + action);
  if (!alone && rest.empty()) {
    const bool file = action == "inspect" || action == "add";
    throw RequestError(file ? "it needs a weights file" : "it needs the name of a model", "disco models " + action,
                       fmt::format("write: disco models {} {}", action, file ? "FILE" : "NAME"));
  }
  if (line.has("--name") && rest.size() > 1) throw RequestError("one name cannot be given to several files", "--name");
  const std::unique_ptr<Engine> engine = load_engine(line);
  if (action == "list") {
    list(line, *engine);
  } else if (action == "inspect") {
    for (const std::string& file : rest) inspect(line, *engine, file);
  } else if (action == "add") {
    for (const std::string& file : rest) {
      const ModelEntry model = engine->add_model(file, line.text("--name"));
      reporter.note(fmt::format("added {} ({}): {}", model.name, model.role, model.weights.string()));
    }
  } else if (action == "verify") {
    return verify(line, *engine);
  } else if (action == "pull") {
    pull(line, *engine, rest, reporter);
  } else {
    for (const std::string& name : rest) {
      engine->remove_model(name);
      reporter.note("removed " + name);
    }
  }
  return 0;
}

}  // namespace

Verb models_verb() {
  std::vector<Flag> flags = {
      {"--json", "", "list, inspect, verify: print JSON"},
      {"--tensors", "", "inspect: name every tensor"},
      {"--name", "NAME", "add: the model's name (default: the file's)"},
      {"--offline", "", "pull: use what is there, never the network"},
  };
  for (const auto& more : {reporting_flags(), engine_flags()}) flags.insert(flags.end(), more.begin(), more.end());
  return {"models",
          "the models: list, inspect, add, verify, pull, remove",
          "[list | inspect FILE | add FILE | verify | pull NAME … | remove NAME …] [FLAGS]",
          "  list     those installed, and those known that can be pulled (the default)\n"
          "  inspect  what a weights file holds; nothing in it is run\n"
          "  add      take a weights file into the models folder, recognised by its tensors\n"
          "  verify   compare every installed file with its checksum\n"
          "  pull     download known models; a broken download goes on where it stopped\n"
          "  remove   delete installed models",
          flags,
          false,
          actions,
          models};
}

}  // namespace disco

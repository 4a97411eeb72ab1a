// run, draft and resume: what draws.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/engine_library.h"
#include "cli/interrupt.h"
#include "cli/settings_request.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "settings/advice.h"

namespace disco {
namespace {

constexpr std::size_t advice_shown = 3;

std::vector<Flag> put_together(std::initializer_list<std::vector<Flag>> parts) {
  std::vector<Flag> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<Flag> output_flags() {
  return {
      {"--out", "DIR", "where the pictures go: DIR/BATCH/ (default out)", {}, "-o"},
      {"--checkpoint-seconds", "S", "time between checkpoints; 0: after every step (default 30)"},
  };
}

Flag advice_flag() { return {"--no-advice", "", "no advice about the settings before the run"}; }

/// What to say about the settings: what the user chose comes first. The guide speaks of the community's models; of what
/// another model recommends for itself it knows nothing.
std::vector<Advice> advice_for(const ResolvedSettings& resolved) {
  const auto origin = [&](const std::string& key) {
    const auto found = resolved.origins.find(key);
    return found == resolved.origins.end() ? std::string("default") : found->second;
  };
  const bool shipped = origin("diffusion_model") == pocket_origin;
  std::vector<Advice> advice = advise(resolved.settings);
  std::erase_if(advice, [&](const Advice& item) {
    const std::string from = origin(item.key);
    return from == pocket_origin || from.starts_with(model_origin) || (shipped && from == "default");
  });
  std::stable_partition(advice.begin(), advice.end(),
                        [&](const Advice& item) { return origin(item.key) != "default"; });
  return advice;
}

void tell_before_run(const CommandLine& line, Engine& engine, const ResolvedSettings& resolved, Reporter& reporter) {
  for (const std::string& warning : resolved.warnings) reporter.warning(warning);
  try {
    for (const auto& [model, words] : engine.unknown_words(resolved.settings)) {
      if (!words.empty()) reporter.note(fmt::format("{} has never seen: {}", model, join(words, ", ")));
    }
  } catch (const Error&) {
    // Models are missing, or do not load: the run says it, beginning with the one that matters most.
  }
  if (line.has("--no-advice")) return;
  const std::vector<Advice> advice = advice_for(resolved);
  for (std::size_t i = 0; i < advice.size() && i < advice_shown; ++i) {
    const std::string suggestion = advice[i].suggestion.empty() ? "" : " Try: " + advice[i].suggestion;
    reporter.note(fmt::format("{}: {}{}", advice[i].key, advice[i].message, suggestion));
  }
  if (advice.size() > advice_shown) {
    reporter.note(fmt::format("{} more: disco explain advice, with the same flags", advice.size() - advice_shown));
  }
}

struct Prepared {
  std::unique_ptr<Engine> engine;
  RunRequest request;
};

/// Loads the engine and makes the request, in an order in which what is wrong is found before anything slow.
Prepared prepare(const CommandLine& line, SettingsUse use, Reporter& reporter) {
  Prepared prepared;
  prepared.request.out = line.text("--out", "out");
  prepared.request.checkpoint_seconds = line.number("--checkpoint-seconds", 30, 0);
  std::vector<SettingsLayer> layers = settings_layers(line, use, reporter);
  prepared.engine = load_drawing_engine(line);
  prepared.request.resolved = request_settings(std::move(layers), use, prepared.engine.get(), reporter);
  // Drafts that are carried on bring settings that only the engine sees.
  if (use != SettingsUse::finish) tell_before_run(line, *prepared.engine, prepared.request.resolved, reporter);
  return prepared;
}

/// "3,7,9-12" as numbers.
std::vector<int> draft_numbers(const std::string& text) {
  const auto number = [&](const std::string& part) {
    int value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 1 || value > 100000) {
      throw RequestError(fmt::format("'{}' is not the number of a draft", part), "--finish",
                         "write the numbers on the sheet: --finish 3,7");
    }
    return value;
  };
  std::vector<int> numbers;
  for (const std::string& part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const int first = number(std::string(trim(part.substr(0, dash))));
    const int last = dash == std::string::npos ? first : number(std::string(trim(part.substr(dash + 1))));
    if (last < first) {
      throw RequestError(fmt::format("'{}' counts backwards", part), "--finish",
                         fmt::format("write --finish {}-{}", last, first));
    }
    for (int i = first; i <= last; ++i) numbers.push_back(i);
  }
  return numbers;
}

/// The flags that `disco resume` needs as well: the checkpoint knows the settings, but not where the models lie.
std::string engine_words(const CommandLine& line) {
  std::string words;
  for (const char* flag : {"--models", "--device", "--threads", "--precision", "--kernels"}) {
    for (const std::string& value : line.all(flag)) words += fmt::format(" {} {}", flag, shell_word(value));
  }
  return words;
}

/// Names the command that goes on with an interrupted run, in the folder that the error names, else in `where`.
template <typename Work>
int interruptible(const CommandLine& line, const std::string& where, Work work) {
  try {
    work();
  } catch (const Interrupted& error) {
    if (!error.fix().empty()) throw;  // There is nothing to resume yet.
    const std::string& folder = error.where().empty() ? where : error.where();
    throw Interrupted(error.problem(), error.where(),
                      "go on with: disco resume " + shell_word(folder) + engine_words(line));
  }
  return 0;
}

int run(const CommandLine& line, Reporter& reporter) {
  const std::vector<int> numbers = line.has("--finish") ? draft_numbers(line.text("--finish")) : std::vector<int>{};
  auto [engine, request] = prepare(line, numbers.empty() ? SettingsUse::draw : SettingsUse::finish, reporter);
  const InterruptGuard guard(reporter.interrupt_notice());
  request.interrupt = &guard.flag();
  return interruptible(line, request.out.string(), [&, &engine = engine, &request = request] {
    if (numbers.empty()) {
      engine->run(request, reporter);
    } else {
      engine->finish(request.out, numbers, request, reporter);
    }
  });
}

int draft(const CommandLine& line, Reporter& reporter) {
  DraftRequest request;
  request.count = line.whole_number("--count", request.count, 1);
  request.stop_at = line.number("--stop-at", request.stop_at, 0);
  if (request.stop_at <= 0 || request.stop_at > 1) {
    throw RequestError("it is a share of the steps, above 0 and at most 1", "--stop-at", "for instance --stop-at 0.45");
  }
  Prepared prepared = prepare(line, SettingsUse::draft, reporter);
  request.run = std::move(prepared.request);
  const InterruptGuard guard(reporter.interrupt_notice());
  request.run.interrupt = &guard.flag();
  return interruptible(line, request.run.out.string(), [&] {
    const DraftResult result = prepared.engine->draft(request, reporter);
    reporter.name_once(result.sheet);
    reporter.note("carry on those that you like: disco run --finish 3,7, with the same flags");
  });
}

int resume(const CommandLine& line, Reporter& reporter) {
  if (line.operands.size() > 1) {
    throw RequestError("it takes one path", "disco resume", "name one checkpoint or output folder");
  }
  const std::string path = line.operands.empty() ? "out" : line.operands.front();
  const double seconds = line.number("--checkpoint-seconds", 30, 0);
  const std::unique_ptr<Engine> engine = load_drawing_engine(line);
  const InterruptGuard guard(reporter.interrupt_notice());
  return interruptible(line, path, [&] {
    // Pictures that were finished before, and a sheet of drafts, are named too.
    for (const auto& picture : engine->resume(path, seconds, &guard.flag(), reporter).pictures)
      reporter.name_once(picture);
  });
}

}  // namespace

Verb run_verb() {
  return {
      "run",
      "draw pictures from prompts (the verb when none is named)",
      "\"PROMPT\" [\"PROMPT:WEIGHT\" …] [FLAGS]",
      "The paths of finished pictures go to standard output, one a line; everything else goes to standard error. "
      "Settings are taken from flags, settings files, DISCO_* variables, the user's settings.json, a preset, and the "
      "defaults, in this order.",
      put_together({settings_flags(),
                    output_flags(),
                    {{"--finish", "NUMBERS",
                      "carry on drafts by their numbers on the sheet, as in 3,7 or 2-5, instead of new pictures"},
                     advice_flag()},
                    reporting_flags(),
                    engine_flags()}),
      true,
      {},
      run};
}

Verb draft_verb() {
  return {"draft",
          "draw the beginnings of many pictures on one sheet, to choose from",
          "\"PROMPT\" [\"PROMPT:WEIGHT\" …] [FLAGS]",
          "Draft k is drawn from the seed plus k and stops early, with the preset draft unless another is named "
          "(--preset none for "
          "none); disco run --finish 3,7 with the same flags carries "
          "on the "
          "third and the seventh.",
          put_together({settings_flags(),
                        output_flags(),
                        {{"--count", "N", "how many drafts (default 16)", {}, "-n"},
                         {"--stop-at", "SHARE", "share of the steps after which a draft stops (default 0.45)"},
                         advice_flag()},
                        reporting_flags(),
                        engine_flags()}),
          true,
          {},
          draft};
}

Verb resume_verb() {
  return {"resume",
          "go on with an interrupted run, to the same picture",
          "[PATH]",
          "PATH is a checkpoint or an output folder (default out); the newest unfinished run at or below it goes on.",
          put_together({{{"--checkpoint-seconds", "S", "time between checkpoints; 0: after every step (default 30)"}},
                        reporting_flags(),
                        engine_flags()}),
          false,
          {},
          resume};
}

}  // namespace disco

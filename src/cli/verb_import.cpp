// import: settings of other programs and of our own pictures, as native settings.
#include <fmt/format.h>

#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/file.h"
#include "settings/import.h"

namespace disco {
namespace {

int import(const CommandLine& line, Reporter& reporter) {
  if (line.operands.size() != 1) {
    throw RequestError("it takes one file", "disco import", "write: disco import FILE");
  }
  const fs::path file = line.operands.front();
  require_file(file, "name a settings file or a picture");
  const ImportedSettings imported = import_settings(file);
  reporter.note(fmt::format("{}: settings of {}", file.string(), imported.source));
  for (const std::string& note : imported.notes) reporter.note(note);
  for (const IgnoredKey& ignored : imported.ignored)
    reporter.note(fmt::format("{} is ignored: {}", ignored.key, ignored.reason));
  const std::string text = imported.values.dump(2) + "\n";
  if (line.has("--out")) {
    write_file(line.text("--out"), text);
  } else {
    print(text);
  }
  return 0;
}

}  // namespace

Verb import_verb() {
  return {
      "import",
      "turn another program's settings, or a picture's, into native ones",
      "FILE [--out FILE]",
      "Reads the settings of Disco Diffusion 5.7, DiscoArt, ProgRockDiffusion and philpax's disco-diffusion, and of "
      "pictures drawn by Disco. Native settings go to standard output; what is ignored, and why, to standard error.",
      {{"--out", "FILE", "write there instead of standard output"}},
      false,
      {},
      import};
}

}  // namespace disco

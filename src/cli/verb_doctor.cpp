// doctor: the machine, the libraries, the models, and what fits.
#include "cli/engine_library.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace disco {
namespace {

int doctor(const CommandLine& line, Reporter& /*reporter*/) {
  if (!line.operands.empty()) throw RequestError("it takes no operands", "disco doctor");
  const nlohmann::ordered_json report = load_engine(line)->doctor();
  print(line.has("--json") ? report.dump(2) + "\n" : text_outline(report));
  return 0;
}

}  // namespace

Verb doctor_verb() {
  std::vector<Flag> flags = {{"--json", "", "print JSON"}};
  for (Flag& flag : engine_flags()) flags.push_back(flag);
  return {"doctor", "look at the machine, the libraries, the models and the memory", "[FLAGS]", "", flags, false, {},
          doctor};
}

}  // namespace disco

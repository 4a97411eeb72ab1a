#include "cli/verbs.h"

namespace disco {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {run_verb(),    draft_verb(),  resume_verb(),    models_verb(),
                                        train_verb(),  paint_verb(),  bench_verb(),     explain_verb(),
                                        import_verb(), doctor_verb(), completion_verb()};
  return all;
}

std::vector<Flag> reporting_flags() {
  return {
      {"--progress",
       "",
       "how progress is told on standard error (default auto)",
       {"auto", "bar", "lines", "json", "none"}},
      {"--preview", "", "the picture so far, in the terminal (default auto)", {"auto", "blocks", "none"}},
  };
}

}  // namespace disco

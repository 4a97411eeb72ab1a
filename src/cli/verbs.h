// The verbs of the program.
#pragma once

#include <vector>

#include "cli/command_line.h"
#include "cli/reporter.h"

namespace disco {

const std::vector<Verb>& verbs();

// Each returns its description; verbs() puts them together.
Verb run_verb();
Verb draft_verb();
Verb resume_verb();
Verb models_verb();
Verb train_verb();
Verb paint_verb();
Verb bench_verb();
Verb explain_verb();
Verb import_verb();
Verb doctor_verb();
Verb completion_verb();

/// The flags that make_reporter() reads.
std::vector<Flag> reporting_flags();

}  // namespace disco

#include "cli/engine_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>

#include "core/error.h"
#include "core/file.h"
#include "core/warm_pages.h"

namespace disco {
namespace {

constexpr auto library_name = "libdisco_engine.so";
constexpr auto rebuild = "build it again: ./disco does so by itself";

fs::path library_path() {
  std::vector<fs::path> folders;
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&program_root), &info) != 0 && info.dli_fname != nullptr) {
    folders.push_back(fs::path(info.dli_fname).parent_path().lexically_normal());
  }
  std::error_code ignored;
  folders.push_back(fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path() / "lib");
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / library_name, ignored)) return folder / library_name;
  }
  throw Error("the engine is missing", (folders.front() / library_name).string(), rebuild);
}

/// What `name` stands for in the engine's library, which stays loaded.
template <typename Function>
Function entry_point(const char* name) {
  const fs::path path = library_path();
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    throw Error(fmt::format("the engine does not load ({})", reason != nullptr ? reason : "no reason given"), {},
                rebuild);
  }
  const auto function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) throw Error(fmt::format("the engine has no {}", name), path.string(), rebuild);
  return function;
}

}  // namespace

std::vector<Flag> engine_flags() {
  return {
      {"--models", "DIR",
       "where the models lie, before the program's own (also DISCO_MODELS; default: the user's data folder)"},
      {"--device", "", "what computes (default auto)", {"auto", "cpu", "cuda"}},
      {"--threads", "N", "processor cores to use (default 0: all)"},
      {"--precision",
       "",
       "of the networks: half is a GPU's default, the processor has float alone (default auto)",
       {"auto", "half", "float"}},
      {"--kernels", "", "plain does without the program's own kernels, to compare (default fast)", {"fast", "plain"}},
      {"--memory", "auto|GIB", "memory to use at most, in GiB (default auto: what is free)"},
  };
}

EngineOptions engine_options(const CommandLine& line) {
  EngineOptions options;
  options.model_folders = model_folders(line);
  options.device = line.text("--device", "auto");
  options.threads = line.whole_number("--threads", 0, 0);
  options.precision = line.text("--precision", "auto");
  options.kernels = line.text("--kernels", "fast");
  if (line.text("--memory", "auto") != "auto") options.memory_limit_gib = line.number("--memory", 0, 0);
  return options;
}

std::unique_ptr<Engine> load_engine(const CommandLine& line) {
  const auto create = entry_point<CreateEngine>("disco_create_engine");
  std::unique_ptr<Engine> engine(create(DISCO_VERSION, engine_options(line)));
  if (!engine)
    throw Error("the engine is of another version than the program (" DISCO_VERSION ")", library_path().string(),
                rebuild);
  return engine;
}

std::unique_ptr<Engine> load_drawing_engine(const CommandLine& line) {
  // LibTorch is loaded by one thread, in which time another clears about as much as the pocket models take.
  constexpr std::size_t smallest_picture = 288 << 20;
  const std::string device = line.text("--device", "auto");
  const bool on_processor = device == "cpu" || (device == "auto" && !fs::exists("/dev/nvidiactl"));
  const bool sparing = line.text("--memory", "auto") != "auto";
  if (on_processor && !sparing) warm_pages(smallest_picture);
  return load_engine(line);
}

TrainFunction load_trainer() { return entry_point<TrainFunction>("disco_train"); }
PaintFunction load_painter() { return entry_point<PaintFunction>("disco_paint_folder"); }
AdherenceFunction load_adherence() { return entry_point<AdherenceFunction>("disco_measure_adherence"); }
EffectsFunction load_effects() { return entry_point<EffectsFunction>("disco_measure_effects"); }
StepFunction load_step() { return entry_point<StepFunction>("disco_measure_step"); }

// Where ModelStore::default_folders() looks: the chosen folder or the user's, then the program's own.
std::vector<fs::path> model_folders(const CommandLine& line) {
  fs::path first = line.text("--models");
  if (const char* variable = std::getenv("DISCO_MODELS"); first.empty() && variable != nullptr) first = variable;
  if (first.empty()) first = user_data_folder() / "models";
  return {first, program_root() / "models"};
}

}  // namespace disco

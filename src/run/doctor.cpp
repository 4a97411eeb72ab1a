#include "run/doctor.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <torch/version.h>

#include <fstream>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "kernels/gpu.h"
#include "run/memory_estimate.h"
#include "settings/resolve.h"
#include "settings/table.h"

namespace disco {
namespace {

using nlohmann::ordered_json;

std::string gib(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1024.0 * 1024 * 1024));
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

ordered_json machine(const Session& session) {
  utsname system{};
  ::uname(&system);
  return {{"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"processor", processor()},
          {"cores", std::thread::hardware_concurrency()},
          {"vector instructions", at::get_cpu_capability()},
          {"device", session.device_name()}};
}

std::string cuda_state() {
  if (gpu()) return "yes, with the program's own kernels";
  if (at::hasCUDA()) return "yes, with LibTorch's kernels alone";
  return "no (a build without it, or a machine without a GPU)";
}

ordered_json libraries(Session& session) {
  ordered_json section = {{"disco", DISCO_VERSION}, {"torch", TORCH_VERSION}, {"cuda", cuda_state()}};
  try {
    section["vocabulary"] = Tokenizer::find_vocabulary(session.model_folders()).string();
  } catch (const Error& error) {
    section["vocabulary"] = error.what();
  }
  return section;
}

ordered_json models(Session& session) {
  ordered_json folders = ordered_json::array(), list = ordered_json::array();
  for (const fs::path& folder : session.model_folders()) {
    folders.push_back(folder.string() + (fs::is_directory(folder) ? "" : " (not there)"));
  }
  for (const ModelEntry& model : session.store().list()) {
    std::error_code error;
    const auto size = fs::file_size(model.weights, error);
    list.push_back({{"name", model.name}, {"role", model.role}, {"size", error ? std::string("missing") : gib(size)}});
  }
  return {{"folders", folders}, {"installed", list}};
}

/// Whether each preset would fit, with the models that are installed.
ordered_json fits(Session& session, std::uint64_t limit) {
  ordered_json section = ordered_json::array();
  for (const Preset& preset : presets()) {
    Settings settings = default_settings();
    for (const auto& [key, value] : preset.values.items()) {
      if (const SettingSpec* spec = find_setting(key)) set_value(settings, *spec, value, "preset " + preset.name);
    }
    ordered_json row = {{"preset", preset.name}, {"size", fmt::format("{}x{}", settings.width, settings.height)}};
    try {
      const MemoryEstimate estimate = estimate_memory(settings, session.store(), session.memory(limit));
      row["needs"] = gib(estimate.peak);
      const std::string plan = plan_text(estimate.plan);
      row["verdict"] = !estimate.fits() ? "does not fit: " + estimate.suggestion
                       : plan.empty()   ? "fits"
                                        : "fits with " + plan;
    } catch (const Error& error) {
      row["verdict"] = error.what();
    }
    section.push_back(std::move(row));
  }
  return section;
}

}  // namespace

ordered_json examine(Session& session, std::uint64_t memory_limit) {
  const std::optional<GpuMemory> there = session.memory(memory_limit).gpu;
  const std::uint64_t total = there ? there->total : total_memory();
  const std::uint64_t available = memory_limit > 0 ? memory_limit : there ? there->free : available_memory();
  return {{"machine", machine(session)},
          {"libraries", libraries(session)},
          {"models", models(session)},
          {"memory", {{"total", gib(total)}, {"available", gib(available)}}},
          {"fits", fits(session, memory_limit)}};
}

}  // namespace disco

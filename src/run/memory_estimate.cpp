#include "run/memory_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "core/error.h"
#include "kernels/choice.h"
#include "kernels/page_keeper.h"
#include "models/half_storage.h"
#include "models/known_shapes.h"
#include "models/lpips.h"
#include "models/secondary.h"
#include "models/upscaler.h"
#include "run/generation.h"
#include "run/memory_model.h"

namespace disco {
namespace {

constexpr double float_bytes = 4, bytes_per_gib = 1024.0 * 1024.0 * 1024.0;
/// Libraries, code and the small tensors of a process that has drawn something.
constexpr double process_bytes = 222e6;
/// On a GPU: the workspaces of cuBLAS, on each stream and thread that multiplies.
constexpr double gpu_scratch_bytes = 200e6;
/// What cuDNN takes for float32's convolutions, as a multiple of the largest one's input and output. It says nothing of
/// it beforehand and knows no limit; this is a margin over what was measured.
constexpr double float_scratch = 1.5;
/// Blocks of the UNet's few large tensors are seldom of use to the next size: what they take over their sum, by the
/// program's own kernels and by LibTorch's alone.
constexpr double scattered = 1.4, scattered_plain = 2;
/// Gaps within and between all others.
constexpr double gpu_gaps = 1.13;
/// What the libraries' own scratch memory and gaps between tensors add to them, at the most that was measured.
constexpr double slack = 1.05;

double weights_bytes(const std::vector<TensorInfo>& manifest, const char* prefix = "") {
  double bytes = 0;
  for (const TensorInfo& tensor : manifest) {
    if (!tensor.name.starts_with(prefix)) continue;
    double values = 1;
    for (const std::int64_t side : tensor.shape) values *= static_cast<double>(side);
    bytes += values * float_bytes;
  }
  return bytes;
}

/// Bytes that keeping large layers' weights in half precision saves. The largest layers lie where pictures are
/// smallest: that one of them is widened does not show in the peak.
double saved_by_halves(const std::vector<TensorInfo>& manifest, const std::string& role, const char* prefix = "") {
  double saved = 0;
  for (const TensorInfo& tensor : manifest) {
    if (may_be_half(role, tensor)) saved += weights_bytes({tensor}, prefix) / 2;
  }
  return saved;
}

std::vector<TensorInfo> manifest_of(const StateDict& tensors) {
  std::vector<TensorInfo> manifest;
  for (const auto& [name, tensor] : tensors) manifest.push_back({name, tensor.scalar_type(), tensor.sizes().vec()});
  return manifest;
}

struct ClipShape {
  std::string name;
  ClipConfig config;
  double image_side = 0, text_side = 0;      ///< Bytes of their weights.
  double image_halves = 0, text_halves = 0;  ///< What halves save of them.
};

/// The models of a run, by their shapes.
struct Shapes {
  UNetConfig unet;
  double unet_weights = 0;
  double unet_halves = 0;
  std::int64_t secondary_channels = 0;
  double secondary_weights = 0;
  std::vector<ClipShape> clip;
  double lpips_weights = 0, upscaler_weights = 0;
};

ClipShape shape_of(const std::string& name, const ClipConfig& config) {
  const std::vector<TensorInfo> manifest = Clip::manifest(config);
  const double image_side = weights_bytes(manifest, "visual.");
  return {name,
          config,
          image_side,
          weights_bytes(manifest) - image_side,
          saved_by_halves(manifest, "clip", "visual."),
          saved_by_halves(manifest, "clip", "transformer.")};
}

ClipShape clip_shape(const ModelStore& store, const std::string& name) {
  if (store.find(name, "clip"))
    return shape_of(name, Clip::recognise(load_weights(store.require(name, "clip").weights)));
  if (const auto known = known_clip_shape(name)) return shape_of(name, *known);
  store.require(name, "clip");  // Says what is missing.
  return {};
}

/// Of installed models the files', of others the published ones.
Shapes shapes_of(const Settings& settings, const ModelStore& store) {
  Shapes shapes;
  const auto known_unet = known_unet_shape(settings.diffusion_model);
  if (known_unet && !store.find(settings.diffusion_model, "diffusion")) {
    shapes.unet = *known_unet;
  } else {
    const ModelEntry entry = store.require(settings.diffusion_model, "diffusion");
    shapes.unet = UNet::recognise(load_weights(entry.weights), entry.config);
  }
  const std::vector<TensorInfo> unet = UNet::manifest(shapes.unet);
  shapes.unet_weights = weights_bytes(unet);
  shapes.unet_halves = saved_by_halves(unet, "diffusion");
  if (settings.use_secondary_model) {
    std::vector<TensorInfo> manifest = SecondaryModel::manifest();
    if (store.find(settings.secondary_model, "secondary") || !find_in_catalog(settings.secondary_model)) {
      manifest = manifest_of(load_weights(store.require(settings.secondary_model, "secondary").weights));
    }
    for (const TensorInfo& tensor : manifest) {
      if (tensor.name == "net.0.0.weight") shapes.secondary_channels = tensor.shape.front();
    }
    shapes.secondary_weights = weights_bytes(manifest);
  }
  for (const ClipChoice& choice : settings.clip_models) shapes.clip.push_back(clip_shape(store, choice.name));
  if (needs_lpips(settings)) shapes.lpips_weights = weights_bytes(Lpips::manifest());
  if (!settings.upscaler.empty()) {
    shapes.upscaler_weights =
        weights_bytes(manifest_of(load_weights(store.require(settings.upscaler, "upscaler").weights)));
  }
  return shapes;
}

std::int64_t most_cuts(const Settings& settings) {
  double most = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    most = std::max(most, settings.cut_overview.at(entry) + settings.cut_innercut.at(entry));
  }
  return static_cast<std::int64_t>(most);
}

/// What a run would be drawn at.
struct Drawing {
  std::int64_t width = 0, height = 0, cuts = 0;
  bool gpu = false, half = false;
};

Drawing drawing_of(const Settings& settings, const MemoryOffer& offer) {
  // A GPU looks at all batches together.
  const std::int64_t batches = offer.gpu ? settings.cutn_batches : 1;
  return {settings.drawn_width(), settings.drawn_height(), most_cuts(settings) * batches, offer.gpu.has_value(),
          offer.half};
}

/// Named parts of a prediction.
struct Parts {
  std::vector<std::pair<std::string, std::uint64_t>>* named = nullptr;

  double add(const std::string& part, double bytes) const {
    if (named && bytes > 0) named->emplace_back(part, static_cast<std::uint64_t>(bytes));
    return bytes;
  }
};

/// Bytes of the networks' weights.
struct Weights {
  double held = 0;     ///< While it draws.
  double loading = 0;  ///< With the CLIP models' text sides.
};

/// `one_clip`: no more than one CLIP model's at a time.
Weights weights_of(const Shapes& shapes, const MemoryPlan& plan, double size, bool one_clip, const Parts& parts) {
  const auto stored = [&](double bytes, double halves) { return (plan.half_weights ? bytes - halves : bytes) * size; };
  Weights weights;
  weights.held = parts.add("diffusion weights", stored(shapes.unet_weights, shapes.unet_halves)) +
                 parts.add("secondary weights", shapes.secondary_weights * size) +
                 parts.add("LPIPS weights", shapes.lpips_weights) +
                 parts.add("upscaler weights", shapes.upscaler_weights);
  double all = 0, all_whole = 0, largest = 0, largest_whole = 0;
  for (const ClipShape& clip : shapes.clip) {
    const double image_side = stored(clip.image_side, clip.image_halves);
    const double whole = image_side + stored(clip.text_side, clip.text_halves);
    all += parts.add("CLIP " + clip.name + " weights", image_side);
    all_whole += whole;
    largest = std::max(largest, image_side);
    largest_whole = std::max(largest_whole, whole);
  }
  // What the UNet took may not be of use to a CLIP model, so its weights count beside that one's.
  weights.loading = weights.held + (one_clip ? largest_whole : all_whole);
  weights.held += one_clip ? largest : all;
  return weights;
}

double predicted_gpu_peak(const Shapes& shapes, const Drawing& drawing, const MemoryPlan& plan, const Parts& parts) {
  const auto [width, height, cuts, on_gpu, half] = drawing;
  const double size = half ? .5 : 1;  // Of what the networks hold, weights and activations.
  const bool secondary = shapes.secondary_channels > 0;
  const double spread = chosen_kernels() == Kernels::fast ? scattered : scattered_plain;
  const Weights weights = weights_of(shapes, plan, size, plan.weights_on_host, parts);
  constexpr Convolutions by = Convolutions::library;

  const GradientMemory prediction =
      secondary ? secondary_gradient_memory(shapes.secondary_channels, width, height, by)
                : unet_gradient_memory(shapes.unet, width, height,
                                       plan.recompute ? Activations::recomputed : Activations::kept, by);
  const double kept = prediction.kept * size;
  const double evaluation =
      secondary ? parts.add("diffusion step", unet_memory(shapes.unet, width, height, by) * size * spread) : 0;
  double making = 0, looking = 0;
  for (const ClipShape& clip : shapes.clip) {
    const ClipMemory memory = clip_memory(clip.config, cuts, plan.cuts_at_once, width, height, by);
    making = std::max(making, memory.making_cutouts);
    looking = std::max(looking, parts.add("CLIP " + clip.name + " look", memory.looking * size));
  }
  if (shapes.lpips_weights > 0) making = std::max(making, parts.add("LPIPS losses", lpips_memory(width, height)));
  const double gradient = std::max(prediction.forward, prediction.backward) * size;
  parts.add(secondary ? "secondary with gradient" : "diffusion with gradient", gradient);
  parts.add("cutouts", making);
  // Recordings lie beside everything else, and hardly ever where each other's did: the UNet's ask for larger blocks
  // than CLIP's. Without recordings blocks do not fit any better, and plain norms hold more of them.
  const double step = std::max(gradient, kept + making) + looking + evaluation;
  const double scratch =
      parts.add("scratch memory",
                gpu_scratch_bytes + (half ? 0 : float_scratch * largest_convolution(shapes.unet, width, height)));
  return std::max(weights.loading, weights.held + step) * gpu_gaps + scratch;
}

double predicted_peak(const Shapes& shapes, const Drawing& drawing, const MemoryPlan& plan,
                      std::vector<std::pair<std::string, std::uint64_t>>* named = nullptr) {
  const Parts parts{named};
  if (drawing.gpu) return predicted_gpu_peak(shapes, drawing, plan, parts);
  const auto add = [&](const std::string& part, double bytes) { return parts.add(part, bytes); };
  const auto [width, height, cuts, on_gpu, half] = drawing;
  const Weights weights = weights_of(shapes, plan, 1, /*one_clip=*/false, parts);
  double looking = 0;
  double drawing_bytes = 0;
  GradientMemory prediction;
  if (shapes.secondary_channels > 0) {
    drawing_bytes = add("diffusion step", unet_memory(shapes.unet, width, height));
    prediction = secondary_gradient_memory(shapes.secondary_channels, width, height);
    add("secondary with gradient", std::max(prediction.forward, prediction.backward));
  } else {
    prediction =
        unet_gradient_memory(shapes.unet, width, height, plan.recompute ? Activations::recomputed : Activations::kept);
    add("diffusion with gradient", std::max(prediction.forward, prediction.backward));
  }
  for (const ClipShape& clip : shapes.clip) {
    const ClipMemory memory = clip_memory(clip.config, cuts, plan.cuts_at_once, width, height);
    looking = std::max(looking, add("CLIP " + clip.name + " cutouts", memory.peak()));
  }
  if (shapes.lpips_weights > 0) looking = std::max(looking, add("LPIPS losses", lpips_memory(width, height)));
  double forms = 0;
  if (!plan.half_weights) {
    forms = kept_forms_memory(shapes.unet, width, height, shapes.secondary_channels == 0);
    for (const ClipShape& clip : shapes.clip) forms += kept_forms_memory(clip.config);
    add("weights laid out", forms);
  }
  // One model looks at a time, while the guidance's prediction waits for its gradient.
  const double step =
      forms + std::max({drawing_bytes, prediction.forward, prediction.kept + looking, prediction.backward});
  const double tensors = std::max(weights.loading, weights.held + step);
  return tensors + add("program, scratch memory", process_bytes + (slack - 1) * tensors);
}

/// From the one that gives up nothing to the one that gives up all that there is, each cheaper in time than the next;
/// those that may change the picture come last.
std::vector<MemoryPlan> plans_for(const Shapes& shapes, const Drawing& drawing) {
  constexpr int few = 4;  // Below that, products are too small to be fast.
  std::vector<MemoryPlan> plans;
  const bool can_recompute = shapes.secondary_channels == 0;
  const auto cuts = static_cast<int>(drawing.cuts);
  double saved = shapes.unet_halves;
  for (const ClipShape& clip : shapes.clip) saved += clip.image_halves;
  const auto add = [&](bool on_host, bool half) {
    for (const bool recompute : {false, true}) {
      if (recompute && !can_recompute) break;
      plans.push_back({0, recompute, on_host, half});
      const int least = can_recompute && !recompute ? few : 1;
      for (int together = (cuts + 1) / 2; together >= least && together < cuts; together = (together + 1) / 2) {
        plans.push_back({together, recompute, on_host, half});
        if (together == 1) break;
      }
    }
  };
  add(false, false);
  if (drawing.gpu) add(true, false);
  if (saved > 0 && !drawing.half) add(drawing.gpu, true);
  return plans;
}

bool fits(double bytes, std::uint64_t available) { return bytes <= static_cast<double>(available); }

/// The least that fits, or the last one.
MemoryPlan least_plan(const Shapes& shapes, const Drawing& drawing, std::uint64_t available) {
  const std::vector<MemoryPlan> plans = plans_for(shapes, drawing);
  const auto found = std::find_if(plans.begin(), plans.end(), [&](const MemoryPlan& plan) {
    return fits(predicted_peak(shapes, drawing, plan), available);
  });
  return found == plans.end() ? plans.back() : *found;
}

/// The largest size of the same shape that fits, as words, with the secondary model where none does without.
std::string nearest_fit(const Settings& settings, const ModelStore& store, const MemoryOffer& offer,
                        std::uint64_t available) {
  Settings tried = settings;
  for (const bool as_asked : {true, false}) {
    if (!as_asked) {
      const std::string& name = settings.secondary_model;
      const bool to_be_had = store.find(name, "secondary") || find_in_catalog(name);
      if (settings.use_secondary_model || !to_be_had) break;
      tried.use_secondary_model = true;
    }
    const Shapes shapes = shapes_of(tried, store);
    for (double scale = as_asked ? 0.95 : 1; scale > 0.22; scale -= 0.05) {
      const auto side = [&](std::int64_t whole) {
        return std::max<std::int64_t>(64, static_cast<std::int64_t>(static_cast<double>(whole) * scale) / 64 * 64);
      };
      Drawing smaller = drawing_of(tried, offer);
      smaller.width = side(settings.width);
      smaller.height = side(settings.height);
      if (fits(predicted_peak(shapes, smaller, plans_for(shapes, smaller).back()), available)) {
        return fmt::format("{}x{} pixels{} would fit", smaller.width, smaller.height,
                           as_asked ? "" : " with use_secondary_model true");
      }
    }
  }
  return "use fewer or smaller models, or allow more memory";
}

std::uint64_t number_in(const char* path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? number : 0;
}

std::uint64_t meminfo(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key + ":")) continue;
    std::istringstream words(line.substr(key.size() + 1));
    std::uint64_t kib = 0;
    words >> kib;
    return kib * 1024;
  }
  return 0;
}

/// What this process holds already, loaded models and spare pages, is the next run's to use.
std::uint64_t memory_to_use(const MemoryOffer& offer) {
  if (offer.limit > 0) return offer.limit;
  if (offer.gpu) return offer.gpu->free;
  const KeptPages kept = kept_pages();
  return available_memory() + static_cast<std::uint64_t>(kept.in_use + kept.spare);
}

MemoryTable size_table(const Settings& settings, const ModelStore& store, const MemoryOffer& offer) {
  const std::uint64_t available = memory_to_use(offer);
  const Shapes shapes = shapes_of(settings, store);
  const Drawing own = drawing_of(settings, offer);
  MemoryTable table;
  table.title = settings.use_secondary_model ? "with the secondary model" : "without the secondary model";
  table.across = "cuts";
  std::vector<std::int64_t> cuts = {4, 8, 16, 32, 64, 128, own.cuts};
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  for (const std::int64_t count : cuts) table.columns.push_back(std::to_string(count));
  for (const double scale : {0.5, 0.75, 1.0, 1.25, 1.5, 2.0}) {
    const auto side = [&](std::int64_t whole) {
      return std::max<std::int64_t>(64, std::llround(static_cast<double>(whole) * scale / 64) * 64);
    };
    MemoryTable::Row row{fmt::format("{}x{}", side(own.width), side(own.height)), {}};
    for (const std::int64_t count : cuts) {
      const Drawing drawing{side(own.width), side(own.height), count, own.gpu, own.half};
      const MemoryPlan plan = least_plan(shapes, drawing, available);
      const double whole = predicted_peak(shapes, drawing, {}), planned = predicted_peak(shapes, drawing, plan);
      row.cells.push_back({static_cast<std::uint64_t>(whole), static_cast<std::uint64_t>(planned)});
    }
    if (table.rows.empty() || table.rows.back().name != row.name) table.rows.push_back(std::move(row));
  }
  return table;
}

MemoryTable model_table(const Settings& settings, const ModelStore& store, const MemoryOffer& offer) {
  const std::uint64_t available = memory_to_use(offer);
  MemoryTable table;
  table.title = fmt::format("{}x{}, {} cuts", settings.drawn_width(), settings.drawn_height(), most_cuts(settings));
  table.across = "secondary model";
  table.columns = {"with", "without"};
  const auto add = [&](const std::string& name, const std::vector<ClipChoice>& models) {
    MemoryTable::Row row{name, {}};
    for (const bool secondary : {true, false}) {
      Settings tried = settings;
      tried.use_secondary_model = secondary;
      tried.clip_models = models;
      const Shapes shapes = shapes_of(tried, store);
      const Drawing drawing = drawing_of(tried, offer);
      const MemoryPlan plan = least_plan(shapes, drawing, available);
      row.cells.push_back({static_cast<std::uint64_t>(predicted_peak(shapes, drawing, {})),
                           static_cast<std::uint64_t>(predicted_peak(shapes, drawing, plan))});
    }
    table.rows.push_back(std::move(row));
  };
  for (const CatalogEntry& entry : catalog()) {
    if (entry.role != "clip" || entry.name.find("::") != std::string::npos || !known_clip_shape(entry.name)) continue;
    add(entry.name, {{entry.name, Schedule(1.0)}});
  }
  add("these settings' models", settings.clip_models);
  return table;
}

}  // namespace

MemoryEstimate estimate_memory(const Settings& settings, const ModelStore& store, const MemoryOffer& offer,
                               const std::optional<MemoryPlan>& plan) {
  const Shapes shapes = shapes_of(settings, store);
  const Drawing drawing = drawing_of(settings, offer);
  MemoryEstimate estimate;
  estimate.available = memory_to_use(offer);
  estimate.plan = plan ? *plan : least_plan(shapes, drawing, estimate.available);
  estimate.peak = static_cast<std::uint64_t>(predicted_peak(shapes, drawing, estimate.plan, &estimate.parts));
  estimate.unplanned_peak = static_cast<std::uint64_t>(predicted_peak(shapes, drawing, {}));
  if (!estimate.fits()) estimate.suggestion = nearest_fit(settings, store, offer, estimate.available);
  return estimate;
}

MemoryPlan plan_memory(const Settings& settings, const ModelStore& store, const MemoryOffer& offer) {
  const MemoryEstimate estimate = estimate_memory(settings, store, offer);
  if (estimate.fits()) return estimate.plan;
  const auto gib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / bytes_per_gib; };
  throw MemoryError(
      fmt::format("the run needs about {:.1f} GiB of memory at the least, and {:.1f} GiB {}", gib(estimate.peak),
                  gib(estimate.available), offer.limit > 0 ? "are allowed" : "are free"),
      "", estimate.suggestion);
}

std::vector<MemoryTable> memory_tables(const Settings& settings, const ModelStore& store, const MemoryOffer& offer) {
  std::vector<MemoryTable> tables;
  for (const bool secondary : {true, false}) {
    Settings tried = settings;
    tried.use_secondary_model = secondary;
    tables.push_back(size_table(tried, store, offer));
  }
  tables.push_back(model_table(settings, store, offer));
  return tables;
}

std::uint64_t available_memory() {
  const std::uint64_t free = meminfo("MemAvailable");
  const std::uint64_t group_limit = number_in("/sys/fs/cgroup/memory.max");  // "max" reads as 0
  if (group_limit == 0) return free;
  const std::uint64_t used = number_in("/sys/fs/cgroup/memory.current");
  return std::min(free, group_limit > used ? group_limit - used : 0);
}

std::uint64_t total_memory() { return meminfo("MemTotal"); }

}  // namespace disco

#include "run/memory_estimate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "models/clip.h"
#include "models/unet.h"

namespace disco {
namespace {

constexpr double float_bytes = 4;
/// Libraries, code and the allocator's slack of a process that has drawn something.
constexpr double process_bytes = 450e6;
/// Float32 values that a block keeps for its backward pass, in units of its output: measured on the networks here.
constexpr double unet_block_values = 6.5, vit_layer_values = 20, resnet_conv_values = 3.2;
/// Copies of the stacked cutouts alive at once through resize, augmentations and normalisation.
constexpr double cutout_copies = 22;
/// Temporaries of one UNet block without gradients, in units of its largest activation.
constexpr double unet_temporaries = 6;
/// The secondary model with its gradient, in pictures of 64 channels at full size.
constexpr double secondary_pictures = 14;

/// Of the tensors whose names begin so.
double weights_bytes(const StateDict& tensors, const char* prefix = "") {
  double bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) bytes += static_cast<double>(tensor.numel()) * float_bytes;
  }
  return bytes;
}

/// Values of the UNet's activations: all of its blocks' outputs, the largest, and the skips.
struct UNetActivations {
  double all = 0, largest = 0, skips = 0;
};

UNetActivations unet_activations(const UNetConfig& config, std::int64_t width, std::int64_t height) {
  UNetActivations sum;
  double pixels = static_cast<double>(width * height) / static_cast<double>(config.patch * config.patch);
  const double channels = static_cast<double>(config.num_channels), blocks = static_cast<double>(config.num_res_blocks);
  for (const double factor : config.multipliers()) {
    const double output = channels * factor * pixels;
    // Down: the blocks and a downsampling; up: one block more, each of them fed with a skip.
    sum.all += output * (blocks + 1) + output * (blocks + 1) * 1.6;
    sum.skips += output * (blocks + 1);
    sum.largest = std::max(sum.largest, output * 2);
    pixels /= 4;
  }
  return sum;
}

/// Values that CLIP keeps of one cut for its backward pass.
double clip_values_per_cut(const ClipConfig& config) {
  const double side = static_cast<double>(config.input_size);
  if (config.is_vit) {
    const double tokens = std::pow(side / static_cast<double>(config.patch), 2) + 1;
    return vit_layer_values * static_cast<double>(config.vision_layers * config.vision_width) * tokens;
  }
  const double width = static_cast<double>(config.vision_width);
  double values = side * side / 4 * width * 2;  // the stem
  double pixels = side * side / 16, planes = width;
  for (const std::int64_t blocks : config.stage_blocks) {
    // A bottleneck: two narrow convolutions, one of four times the width.
    values += static_cast<double>(blocks) * pixels * planes * 6;
    planes *= 2;
    pixels /= 4;
  }
  return values * resnet_conv_values;
}

double most_cuts(const Settings& settings) {
  double most = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    most = std::max(most, settings.cut_overview.at(entry) + settings.cut_innercut.at(entry));
  }
  return most;
}

StateDict shapes(const ModelStore& store, const std::string& name, const std::string& role, ModelEntry& entry) {
  entry = store.require(name, role);
  return load_weights(entry.weights);
}

double predicted_peak(const Settings& settings, const ModelStore& store,
                      std::vector<std::pair<std::string, std::uint64_t>>* parts) {
  const auto add = [&](const std::string& part, double bytes) {
    if (parts) parts->emplace_back(part, static_cast<std::uint64_t>(bytes));
    return bytes;
  };
  const double pixels = static_cast<double>(settings.drawn_width() * settings.drawn_height());
  ModelEntry entry;
  double held = add("program", process_bytes);

  const StateDict diffusion = shapes(store, settings.diffusion_model, "diffusion", entry);
  held += add("diffusion weights", weights_bytes(diffusion));
  const UNetActivations unet =
      unet_activations(UNet::recognise(diffusion, entry.config), settings.drawn_width(), settings.drawn_height());
  const double drawing = add("diffusion step", (unet.skips + unet_temporaries * unet.largest) * float_bytes);

  double looking = 0;
  if (settings.use_secondary_model) {
    held += add("secondary weights", weights_bytes(shapes(store, settings.secondary_model, "secondary", entry)));
    looking += add("secondary with gradient", secondary_pictures * 64 * pixels * float_bytes);
  } else {
    looking += add("diffusion with gradient", unet_block_values * unet.all * float_bytes);
  }
  if (!settings.upscaler.empty()) {
    held += add("upscaler weights", weights_bytes(shapes(store, settings.upscaler, "upscaler", entry)));
  }
  const double cuts = most_cuts(settings);
  double largest_clip = 0;
  for (const ClipChoice& choice : settings.clip_models) {
    const StateDict tensors = shapes(store, choice.name, "clip", entry);
    // The text side is gone once the prompts are embedded.
    held += add("CLIP " + choice.name + " weights", weights_bytes(tensors, "visual."));
    const ClipConfig config = Clip(tensors, "quick_gelu").config();
    const double cutouts = cutout_copies * 3 * static_cast<double>(config.input_size * config.input_size);
    const double bytes = cuts * (cutouts + clip_values_per_cut(config)) * float_bytes;
    largest_clip = std::max(largest_clip, add("CLIP " + choice.name + " cutouts", bytes));
  }
  // One model looks at a time, while the guidance's prediction waits for its gradient.
  return held + std::max(drawing, looking + largest_clip);
}

/// The largest size of the same shape that fits, or fewer cuts, as words; empty when nothing near does.
std::string nearest_fit(const Settings& settings, const ModelStore& store, std::uint64_t available) {
  const auto fits = [&](const Settings& tried) {
    return predicted_peak(tried, store, nullptr) <= static_cast<double>(available);
  };
  for (double scale = 0.95; scale > 0.2; scale -= 0.05) {
    Settings tried = settings;
    tried.width =
        std::max<std::int64_t>(64, static_cast<std::int64_t>(static_cast<double>(settings.width) * scale) / 64 * 64);
    tried.height =
        std::max<std::int64_t>(64, static_cast<std::int64_t>(static_cast<double>(settings.height) * scale) / 64 * 64);
    if (fits(tried)) return fmt::format("{}x{} pixels would fit", tried.width, tried.height);
  }
  if (!settings.use_secondary_model) return "the secondary model would take less: use_secondary_model true";
  return "use fewer or smaller models, or a machine with more memory";
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

}  // namespace

MemoryEstimate estimate_memory(const Settings& settings, const ModelStore& store, std::uint64_t limit) {
  MemoryEstimate estimate;
  estimate.available = limit > 0 ? limit : available_memory();
  estimate.peak = static_cast<std::uint64_t>(predicted_peak(settings, store, &estimate.parts));
  if (!estimate.fits()) estimate.suggestion = nearest_fit(settings, store, estimate.available);
  return estimate;
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

#include "run/memory_model.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/choice.h"
#include "kernels/panels.h"
#include "kernels/winograd_transforms.h"
#include "models/unet_plan.h"

namespace disco {
namespace {

constexpr double float_bytes = 4;
/// Winograd's transformed filters take 36 values for each 3×3 filter, and its blocks of tiles so many values.
constexpr double filter_points = 36, block_values = 2 << 20;

/// Counts values that live, and the most that ever did.
class Ledger {
 public:
  void take(double values) {
    now_ += values;
    peak_ = std::max(peak_, now_);
  }
  void drop(double values) { now_ -= values; }
  /// For a moment only.
  void touch(double values) { peak_ = std::max(peak_, now_ + values); }
  void forget_peak() { peak_ = now_; }

  double now() const { return now_; }
  double bytes() const { return now_ * float_bytes; }
  double peak_bytes() const { return peak_ * float_bytes; }

 private:
  double now_ = 0, peak_ = 0;
};

using Module = UNetPlan::Module;
using Kind = UNetPlan::Kind;
using Resample = UNetPlan::Resample;

double after(Resample how, double pixels) {
  if (how == Resample::down) return pixels / 4;
  return how == Resample::up ? pixels * 4 : pixels;
}

double pixels_after(const Module& module, double pixels) {
  if (module.kind == Kind::downsample) return pixels / 4;
  if (module.kind == Kind::upsample) return pixels * 4;
  return after(module.resample, pixels);
}

double convolution_workspace(Convolutions by, double in, double out) {
  return by == Convolutions::own ? filter_points * in * out + block_values : 0;
}

/// Evaluates a module whose input lives already and goes on living; its result is taken, and what its gradient will
/// need besides the input when `keeps`.
void evaluate(Ledger& memory, const Module& module, double pixels, bool keeps, Convolutions by) {
  const bool inputs_stay = keeps && by == Convolutions::library;
  const auto in = static_cast<double>(module.in), out = static_cast<double>(module.out);
  const double pixels_out = pixels_after(module, pixels);
  const bool resampled = module.resample != Resample::none;
  switch (module.kind) {
    case Kind::convolution:
    case Kind::downsample:
      memory.take(out * pixels_out);
      return;
    case Kind::upsample:
      memory.take(in * pixels_out);
      memory.touch(convolution_workspace(by, in, out) + out * pixels_out);
      if (!inputs_stay) memory.drop(in * pixels_out);
      memory.take(out * pixels_out);
      return;
    case Kind::attention:
      memory.take(in * pixels);  // normed
      memory.take(3 * in * pixels);
      memory.drop(in * pixels);
      memory.take(2 * in * pixels);  // what was attended to, and joined again
      memory.take(in * pixels);
      memory.drop((keeps ? 1 : 5) * in * pixels);
      return;
    case Kind::residual:
      break;
  }
  const double h = out * pixels_out;
  memory.take(in * pixels);  // normed
  if (resampled) memory.take(in * pixels_out);
  memory.touch(h + convolution_workspace(by, in, out));
  memory.take(h);
  if (!inputs_stay) memory.drop(in * pixels_out);
  if (resampled && !(keeps && module.resample == Resample::down)) memory.drop(in * pixels);
  memory.take(h);  // normed
  if (!keeps) memory.drop(h);
  memory.touch(h + convolution_workspace(by, out, out));
  memory.take(h);
  if (!inputs_stay) memory.drop(h);
  const double outer = resampled ? in * pixels_out : 0;
  memory.touch(outer + (module.in != module.out ? h : 0));
}

/// Takes a module's gradient: the one by its result lives and is dropped, the one by its input is taken, and what
/// evaluate() kept is dropped.
void differentiate(Ledger& memory, const Module& module, double pixels, Convolutions by) {
  const bool inputs_stayed = by == Convolutions::library;
  const auto in = static_cast<double>(module.in), out = static_cast<double>(module.out);
  const double pixels_out = pixels_after(module, pixels), h = out * pixels_out;
  switch (module.kind) {
    case Kind::convolution:
    case Kind::downsample:
      memory.take(in * pixels);
      memory.drop(h);
      return;
    case Kind::upsample:
      memory.touch(in * pixels_out + convolution_workspace(by, in, out));
      memory.take(in * pixels_out);
      memory.drop(h);
      if (inputs_stayed) memory.drop(in * pixels_out);
      memory.take(in * pixels);
      memory.drop(in * pixels_out);
      return;
    case Kind::attention:
      memory.take(2 * in * pixels);
      memory.take(6 * in * pixels);
      memory.drop(6 * in * pixels);
      memory.take(in * pixels);
      memory.drop((2 + 4 + 1) * in * pixels);
      return;
    case Kind::residual:
      break;
  }
  // The gradient through the skip waits while the other one passes the two convolutions.
  if (module.in != module.out || module.resample != Resample::none) memory.take(in * pixels);
  memory.touch(h + convolution_workspace(by, out, out));
  memory.take(h);
  memory.take(h);
  memory.drop((inputs_stayed ? 3 : 2) * h);  // what the second norm kept, and the gradient behind it
  memory.touch(in * pixels_out + convolution_workspace(by, in, out));
  memory.take(in * pixels_out);
  memory.drop(h);
  if (inputs_stayed) memory.drop(in * pixels_out);
  if (module.resample != Resample::none) {
    memory.take(in * pixels);
    memory.drop(in * pixels_out);
    if (module.resample == Resample::down) memory.drop(in * pixels);
  }
  memory.take(in * pixels);
  memory.drop(in * pixels);
  if (module.in != module.out || module.resample != Resample::none) {
    memory.drop(in * pixels);
    memory.drop(h);
  } else {
    memory.drop(h);
  }
}

/// A block with the pixels of its input, and the values of what is joined to it.
struct PlacedBlock {
  const UNetPlan::Block* block;
  double pixels;
  double skip = 0;
  bool leaves_skip = false;

  double input() const { return static_cast<double>(block->front().in) * pixels; }
  double output() const {
    double now = pixels;
    for (const Module& module : *block) now = pixels_after(module, now);
    return static_cast<double>(block->back().out) * now;
  }
};

std::vector<PlacedBlock> placed(const UNetPlan& plan, double pixels) {
  std::vector<PlacedBlock> blocks;
  std::vector<double> skips;
  const auto add = [&](const UNetPlan::Block& block, double skip, bool leaves) {
    blocks.push_back({&block, pixels, skip, leaves});
    for (const Module& module : block) pixels = pixels_after(module, pixels);
  };
  for (const UNetPlan::Block& block : plan.input) {
    add(block, 0, true);
    skips.push_back(blocks.back().output());
  }
  add(plan.middle, 0, false);
  for (const UNetPlan::Block& block : plan.output) {
    add(block, skips.back(), false);
    skips.pop_back();
  }
  return blocks;
}

double folded_pixels(const UNetConfig& config, std::int64_t width, std::int64_t height) {
  return static_cast<double>(width * height) / static_cast<double>(config.patch * config.patch);
}

/// Runs a block's modules, whose input lives and is dropped at the first module's end unless `input_stays`.
void evaluate_block(Ledger& memory, const PlacedBlock& placed_block, bool keeps, bool input_stays, Convolutions by) {
  double pixels = placed_block.pixels, input = placed_block.input();
  bool stays = input_stays;
  for (const Module& module : *placed_block.block) {
    evaluate(memory, module, pixels, keeps, by);
    const bool needed = keeps && module.kind != Kind::upsample;
    if (!stays && !needed) memory.drop(input);
    pixels = pixels_after(module, pixels);
    input = static_cast<double>(module.out) * pixels;
    stays = false;
  }
}

/// Back through a block: the gradient by its result becomes the one by its input.
void differentiate_block(Ledger& memory, const PlacedBlock& placed_block, bool input_was_kept, Convolutions by) {
  std::vector<double> pixels = {placed_block.pixels};
  for (const Module& module : *placed_block.block) pixels.push_back(pixels_after(module, pixels.back()));
  for (std::size_t i = placed_block.block->size(); i-- > 0;) {
    const Module& module = (*placed_block.block)[i];
    differentiate(memory, module, pixels[i], by);
    const bool kept = module.kind != Kind::upsample && (i > 0 || input_was_kept);
    if (kept) memory.drop(static_cast<double>(module.in) * pixels[i]);
  }
}

}  // namespace

double unet_memory(const UNetConfig& config, std::int64_t width, std::int64_t height, Convolutions by) {
  const UNetPlan plan = plan_unet(config);
  const double pixels = folded_pixels(config, width, height);
  Ledger memory;
  memory.take(static_cast<double>(plan.input.front().front().in) * pixels);
  for (const PlacedBlock& block : placed(plan, pixels)) {
    if (block.skip > 0) {
      memory.take(block.input());
      memory.drop(block.input());  // The two that were joined are gone, the joined one stays.
    }
    evaluate_block(memory, block, false, block.skip == 0, by);  // Else it is a skip, and waits.
  }
  memory.take(static_cast<double>(plan.last_width) * pixels);
  return memory.peak_bytes();
}

GradientMemory unet_gradient_memory(const UNetConfig& config, std::int64_t width, std::int64_t height,
                                    Activations activations, Convolutions by) {
  const UNetPlan plan = plan_unet(config);
  const double pixels = folded_pixels(config, width, height);
  const std::vector<PlacedBlock> blocks = placed(plan, pixels);
  const bool keeps = activations == Activations::kept;
  const double last = static_cast<double>(plan.last_width) * pixels;
  Ledger memory;
  memory.take(static_cast<double>(plan.input.front().front().in) * pixels);
  for (const PlacedBlock& block : blocks) {
    if (keeps) {
      // Joined: a third tensor, for which the two others go unless a gradient still needs them.
      if (block.skip > 0) {
        memory.take(block.input());
        memory.drop(block.input() - block.skip);
      }
      evaluate_block(memory, block, true, false, by);
    } else {
      if (block.skip > 0) memory.take(block.input());
      Ledger inside = memory;
      evaluate_block(inside, block, false, block.skip == 0, by);
      memory.touch(inside.peak_bytes() / float_bytes - memory.now());
      if (block.skip > 0) memory.drop(block.input());
      memory.take(block.output());
    }
  }
  memory.touch(2 * last);
  GradientMemory result{.kept = memory.bytes(), .forward = memory.peak_bytes()};

  memory.forget_peak();
  memory.take(last);
  memory.take(last);
  memory.drop(2 * last);  // the last norm's input, and a gradient
  for (std::size_t i = blocks.size(); i-- > 0;) {
    const PlacedBlock& block = blocks[i];
    if (block.leaves_skip) {  // The gradients by it as a skip and as an input become one.
      memory.touch(block.output());
      memory.drop(block.output());
    }
    if (keeps) {
      differentiate_block(memory, block, true, by);
    } else {
      // Once more, now with a graph, from a joined copy of the inputs.
      if (block.skip > 0) memory.take(block.input());
      evaluate_block(memory, block, true, block.skip == 0, by);
      differentiate_block(memory, block, block.skip > 0, by);
      memory.drop(block.output());
      memory.drop(block.skip > 0 ? block.input() - block.skip : block.input());
    }
    if (block.skip > 0) memory.touch(block.input());  // Taken apart into the two that were joined.
  }
  result.backward = memory.peak_bytes();
  return result;
}

double kept_forms_memory(const UNetConfig& config, std::int64_t width, std::int64_t height, bool gradient) {
  constexpr double filter_values = 9, tile_pixels = WinogradTiles::side * WinogradTiles::side;
  const UNetPlan plan = plan_unet(config);
  if (!keeps_forms(plan) || chosen_kernels() == Kernels::plain) return 0;
  double values = 0;
  const double both_ways = gradient ? 2 : 1;
  // Columns lie in whole panels.
  const auto add = [&](std::int64_t in, std::int64_t out, double each) {
    values += each * static_cast<double>(padded_columns(in) * padded_columns(out));
  };
  for (const PlacedBlock& block : placed(plan, folded_pixels(config, width, height))) {
    double pixels = block.pixels;
    for (const Module& module : *block.block) {
      pixels = pixels_after(module, pixels);
      const bool winograd =
          pixels >= least_kept_tiles * tile_pixels && std::min(module.in, module.out) >= least_winograd_channels;
      const double each = (winograd ? filter_points : filter_values) * both_ways;
      if (module.kind == Kind::downsample) {
        add(module.in, module.out, filter_values * both_ways);
      } else if (module.kind == Kind::attention) {
        add(module.in, 4 * module.in, both_ways);  // Queries, keys and values, and what they become.
      } else {
        add(module.in, module.out, each);
        if (module.kind == Kind::residual) add(module.out, module.out, each);
        if (module.kind == Kind::residual && module.in != module.out) add(module.in, module.out, both_ways);
      }
    }
  }
  add(plan.last_width, 3 * config.patch * config.patch, filter_values * both_ways);
  return values * float_bytes;
}

double kept_forms_memory(const ClipConfig& config) {
  if (!Clip::keeps_forms(config) || chosen_kernels() == Kernels::plain) return 0;
  constexpr double both_ways = 2;
  double values = 0;
  for (const TensorInfo& tensor : Clip::manifest(config)) {
    const std::vector<std::int64_t>& shape = tensor.shape;
    const bool is_image_side =
        tensor.name.starts_with("visual.") && tensor.name.ends_with("weight") && shape.size() > 1;
    const bool is_direct = shape.size() == 4 && shape[2] == 3;
    if (!is_image_side || is_direct) continue;
    const std::int64_t all = c10::multiply_integers(shape);
    if (shape[0] % panel_columns == 0 && all / shape[0] % panel_columns == 0)
      values += both_ways * static_cast<double>(all);
  }
  return values * float_bytes;
}

GradientMemory secondary_gradient_memory(std::int64_t channels, std::int64_t width, std::int64_t height,
                                         Convolutions by) {
  const bool inputs_stay = by == Convolutions::library;
  const auto first = static_cast<double>(channels);
  const std::vector<double> widths = {first, 2 * first, 2 * first, 4 * first, 4 * first, 8 * first};
  double pixels = static_cast<double>(width * height);
  constexpr double planes = 19;
  Ledger memory;
  memory.take(planes * pixels);  // The first layer is a direct one, which keeps its input.
  std::vector<double> skips;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) {
      pixels /= 4;
      memory.take(widths[i - 1] * pixels);
    }
    const double own = widths[i] * pixels;
    memory.touch(own + convolution_workspace(by, widths[i], widths[i]));
    memory.take(2 * own);
    if (i > 0 && !inputs_stay) memory.drop(widths[i - 1] * pixels);
    skips.push_back(own);
    if (i + 1 == widths.size()) memory.take(own + own / 2);
  }
  for (std::size_t i = widths.size() - 1; i-- > 0;) {
    pixels *= 4;
    const double own = widths[i] * pixels, outer = i > 0 ? widths[i - 1] * pixels : 3 * pixels;
    memory.take(own);      // upsampled
    memory.take(2 * own);  // joined
    memory.drop(own);
    memory.touch(own + convolution_workspace(by, 2 * widths[i], widths[i]));
    memory.take(own);
    if (!inputs_stay) memory.drop(2 * own);
    memory.touch(outer + convolution_workspace(by, widths[i], widths[i]));
    memory.take(outer);
  }
  GradientMemory result{.kept = memory.bytes(), .forward = memory.peak_bytes()};
  // The joined gradient at full size, the one through the last ReLU, and their like of the skip.
  result.backward = memory.bytes() + 5 * skips.front() * float_bytes;
  return result;
}

double lpips_memory(std::int64_t width, std::int64_t height) {
  // VGG's features of both pictures: 2·64 + 2·128/4 + 3·256/16 + 3·512/64 + 3·512/256 values a pixel.
  constexpr double features = 128 + 64 + 48 + 24 + 6, copies = 2.5;
  return copies * features * static_cast<double>(width * height) * float_bytes;
}

ClipMemory clip_memory(const ClipConfig& config, std::int64_t cuts, std::int64_t cuts_at_once, std::int64_t width,
                       std::int64_t height, Convolutions by) {
  const auto side = static_cast<double>(config.input_size), all = static_cast<double>(cuts);
  const double together = cuts_at_once > 0 ? std::min(all, static_cast<double>(cuts_at_once)) : all;
  const double picture = 3 * static_cast<double>(width * height);
  // Tensors of all cutouts that their graph keeps, and that come and go while they are made or differentiated.
  const double kept_cutouts = chosen_kernels() == Kernels::fast ? 3 : 15;
  constexpr double passing_cutouts = 6;
  const double cutouts = 3 * side * side * all;
  ClipMemory result;
  result.cutouts = (3 * picture + kept_cutouts * cutouts) * float_bytes;
  result.making_cutouts = result.cutouts + (passing_cutouts * cutouts + 3 * picture) * float_bytes;
  Ledger memory;
  if (config.is_vit) {
    const double tokens = std::pow(std::floor(side / static_cast<double>(config.patch)), 2) + 1;
    const double layer = static_cast<double>(config.vision_width) * tokens * together;
    const double mlp =
        config.vision_mlp > 0 ? static_cast<double>(config.vision_mlp) / static_cast<double>(config.vision_width) : 4;
    memory.take(static_cast<double>(config.vision_layers) * (6 + mlp) * layer);
    memory.touch((2 * mlp + 3) * layer);
  } else {
    const auto first = static_cast<double>(config.vision_width);
    // The stem, then bottlenecks: two narrow convolutions and one of four times the width.
    double values = side * side / 4 * first * 2, pixels = side * side / 16, planes = first;
    double largest = side * side / 4 * first;
    for (const std::int64_t blocks : config.stage_blocks) {
      values += static_cast<double>(blocks) * pixels * planes * 6;
      largest = std::max(largest, 4 * planes * pixels);
      planes *= 2;
      pixels /= 4;
    }
    // Where norms are not folded into what follows them, their inputs stay beside their results.
    memory.take((by == Convolutions::library ? 2 : 1) * values * together);
    memory.touch(3 * largest * together);
  }
  result.looking = memory.peak_bytes();
  return result;
}

double largest_convolution(const UNetConfig& config, std::int64_t width, std::int64_t height) {
  const UNetPlan plan = plan_unet(config);
  double largest = 0;
  for (const PlacedBlock& block : placed(plan, folded_pixels(config, width, height))) {
    largest = std::max(largest, block.input() + block.output());
  }
  return largest * float_bytes;
}

}  // namespace disco

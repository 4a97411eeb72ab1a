#include "models/unet_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace disco {
namespace {

using Kind = UNetPlan::Kind;
using Module = UNetPlan::Module;
using Resample = UNetPlan::Resample;

std::int64_t head_count(const UNetConfig& config, std::int64_t width, bool up) {
  std::int64_t heads = up && config.num_heads_upsample != -1 ? config.num_heads_upsample : config.num_heads;
  if (config.num_head_channels != -1) heads = width / config.num_head_channels;
  if (heads < 1 || width % heads != 0 || (config.num_head_channels != -1 && width % config.num_head_channels != 0)) {
    throw FormatError(fmt::format("attention over {} channels cannot be divided into heads (num_heads {}, "
                                  "num_head_channels {})",
                                  width, config.num_heads, config.num_head_channels),
                      "diffusion UNet", "check the heads of the configuration");
  }
  return heads;
}

void add_layer(std::vector<TensorInfo>& manifest, const std::string& name, std::vector<std::int64_t> weight) {
  const std::int64_t out = weight[0];
  manifest.push_back({name + ".weight", at::kFloat, std::move(weight)});
  manifest.push_back({name + ".bias", at::kFloat, {out}});
}

}  // namespace

UNetPlan plan_unet(const UNetConfig& config) {
  const std::vector<double> multipliers = config.multipliers();
  const std::int64_t levels = std::ssize(multipliers);
  const auto width_of = [&](std::int64_t level) {
    return static_cast<std::int64_t>(multipliers[static_cast<std::size_t>(level)] *
                                     static_cast<double>(config.num_channels));
  };
  const auto attends = [&](std::int64_t level) {
    return std::ranges::any_of(config.attention_resolutions, [&](std::int64_t side) {
      return side > 0 && config.image_size / config.patch / side == std::int64_t{1} << level;
    });
  };

  UNetPlan plan;
  plan.first_width = plan.last_width = width_of(0);
  std::int64_t width = plan.first_width;
  plan.input.push_back({{Kind::convolution, "input_blocks.0.0", 3 * config.patch * config.patch, width}});
  std::vector<std::int64_t> skips = {width};
  for (std::int64_t level = 0; level < levels; ++level) {
    for (std::int64_t i = 0; i < config.num_res_blocks; ++i) {
      const std::string name = fmt::format("input_blocks.{}.", plan.input.size());
      UNetPlan::Block block = {{Kind::residual, name + "0", width, width_of(level)}};
      width = width_of(level);
      if (attends(level)) {
        block.push_back({Kind::attention, name + "1", width, width, Resample::none, head_count(config, width, false)});
      }
      plan.input.push_back(std::move(block));
      skips.push_back(width);
    }
    if (level + 1 < levels) {
      const std::string name = fmt::format("input_blocks.{}.0", plan.input.size());
      plan.input.push_back({config.resblock_updown ? Module{Kind::residual, name, width, width, Resample::down}
                                                   : Module{Kind::downsample, name, width, width}});
      skips.push_back(width);
    }
  }
  plan.middle = {
      {Kind::residual, "middle_block.0", width, width},
      {Kind::attention, "middle_block.1", width, width, Resample::none, head_count(config, width, false)},
      {Kind::residual, "middle_block.2", width, width},
  };
  for (std::int64_t level = levels - 1; level >= 0; --level) {
    for (std::int64_t i = 0; i <= config.num_res_blocks; ++i) {
      const std::string name = fmt::format("output_blocks.{}.", plan.output.size());
      UNetPlan::Block block = {{Kind::residual, name + "0", width + skips.back(), width_of(level)}};
      skips.pop_back();
      width = width_of(level);
      if (attends(level)) {
        block.push_back({Kind::attention, name + "1", width, width, Resample::none, head_count(config, width, true)});
      }
      if (level > 0 && i == config.num_res_blocks) {
        const std::string last = fmt::format("{}{}", name, block.size());
        block.push_back(config.resblock_updown ? Module{Kind::residual, last, width, width, Resample::up}
                                               : Module{Kind::upsample, last, width, width});
      }
      plan.output.push_back(std::move(block));
    }
  }
  return plan;
}

std::vector<TensorInfo> module_manifest(const UNetConfig& config, const Module& module) {
  std::vector<TensorInfo> manifest;
  const auto add = [&](const std::string& layer, std::vector<std::int64_t> weight) {
    add_layer(manifest, layer.empty() ? module.name : module.name + "." + layer, std::move(weight));
  };
  const std::int64_t in = module.in, out = module.out;
  switch (module.kind) {
    case Kind::convolution:
      add("", {out, in, 3, 3});
      break;
    case Kind::downsample:
      add("op", {out, in, 3, 3});
      break;
    case Kind::upsample:
      add("conv", {out, in, 3, 3});
      break;
    case Kind::attention:
      add("norm", {in});
      add("qkv", {3 * in, in, 1});
      add("proj_out", {in, in, 1});
      break;
    case Kind::residual:
      add("in_layers.0", {in});
      add("in_layers.2", {out, in, 3, 3});
      add("emb_layers.1", {config.use_scale_shift_norm ? 2 * out : out, 4 * config.num_channels});
      add("out_layers.0", {out});
      add("out_layers.3", {out, out, 3, 3});
      if (in != out) add("skip_connection", {out, in, 1, 1});
      break;
  }
  return manifest;
}

std::vector<TensorInfo> UNet::manifest(const UNetConfig& config) {
  const UNetPlan plan = plan_unet(config);
  const std::int64_t embedding = 4 * config.num_channels;
  std::vector<TensorInfo> manifest;
  const auto add_block = [&](const UNetPlan::Block& block) {
    for (const Module& module : block) {
      for (TensorInfo& info : module_manifest(config, module)) manifest.push_back(std::move(info));
    }
  };
  add_layer(manifest, "time_embed.0", {embedding, config.num_channels});
  add_layer(manifest, "time_embed.2", {embedding, embedding});
  if (config.class_count > 0) manifest.push_back({"label_emb.weight", at::kFloat, {config.class_count, embedding}});
  for (const UNetPlan::Block& block : plan.input) add_block(block);
  add_block(plan.middle);
  for (const UNetPlan::Block& block : plan.output) add_block(block);
  add_layer(manifest, "out.0", {plan.last_width});
  add_layer(manifest, "out.2", {(config.learn_sigma ? 6 : 3) * config.patch * config.patch, plan.last_width, 3, 3});
  return manifest;
}

bool keeps_forms(const UNetPlan& plan) {
  constexpr std::int64_t most_filters = 3'000'000;  // The pocket UNet has 1.9 million, the community's from 24 million.
  std::int64_t filters = 0;
  const auto count = [&](const UNetPlan::Block& block) {
    for (const Module& module : block) {
      if (module.kind == Kind::attention) continue;
      filters += module.in * module.out + (module.kind == Kind::residual ? module.out * module.out : 0);
    }
  };
  std::ranges::for_each(plan.input, count);
  count(plan.middle);
  std::ranges::for_each(plan.output, count);
  return filters <= most_filters;
}

}  // namespace disco

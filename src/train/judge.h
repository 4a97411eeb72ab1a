// The judge: a small convolutional classifier that says what a painted picture shows. It is another architecture than
// the CLIP models that guide a run, and has seen other pictures, so that it is no judge in its own cause.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/weights/state_dict.h"
#include "train/world/scene.h"

namespace disco {

/// Something of a scene that is judged: its name ("subject"), how many values it has, which one a scene has, and what a
/// value is called.
struct Attribute {
  const char* name;
  std::int64_t count;
  std::int64_t (*of)(const Scene&);
  std::string (*value_name)(std::int64_t);
  bool needs_colour;  ///< Whether the value shows in colours; if not, the judge must know it from shapes.
  bool needs_detail;  ///< Whether the value is lost in a blurred picture.
};
/// A new attribute takes a row here.
std::span<const Attribute> judged_attributes();

struct Verdict {
  struct Part {
    std::int64_t value = 0;             ///< The most probable.
    std::vector<double> probabilities;  ///< Of all values.
  };
  std::vector<Part> parts;  ///< In the order of judged_attributes().

  /// Throws Error for an attribute that is not judged.
  const Part& of(std::string_view attribute) const;
};

struct JudgeConfig {
  std::vector<std::int64_t> widths = {32, 64, 128};  ///< Channels of each stage; every stage has half the side.
  std::vector<std::int64_t> blocks = {2, 2, 4};
};

/// Stages of depthwise 5×5 convolutions and pointwise MLPs (ConvNeXt, Liu 2022), a mean over the picture, and one
/// linear head an attribute.
class Judge {
 public:
  static constexpr std::int64_t side = 64;  ///< Of the pictures that the network is trained on.

  /// Widths and blocks, read off the tensors. Throws FormatError.
  static JudgeConfig recognise(const StateDict& tensors);
  static std::vector<TensorInfo> manifest(const JudgeConfig& config);
  /// Throws FormatError naming what is missing.
  explicit Judge(StateDict tensors);

  /// x (N,3,H,W) in [-1,1], sides that are multiples of 2^stages → (N,count) of each attribute, before the softmax.
  /// Differentiable.
  std::vector<at::Tensor> logits(const at::Tensor& x) const;
  /// pictures (N,3,H,W) in [-1,1] of any size → a verdict of each.
  std::vector<Verdict> judge(const at::Tensor& pictures) const;

  const JudgeConfig& config() const { return config_; }
  const StateDict& parameters() const { return tensors_; }

 private:
  struct Layers;

  JudgeConfig config_;
  StateDict tensors_;
  std::shared_ptr<const Layers> layers_;
};

/// A judge from a weights file, in float32.
Judge load_judge(const std::filesystem::path& weights);

/// Freshly initialised weights, seeded.
StateDict initial_judge(const JudgeConfig& config, std::uint64_t seed);

}  // namespace disco

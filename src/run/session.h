// Loaded models. A session loads each model once and gives it to every run that asks.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/clip.h"
#include "models/lpips.h"
#include "models/secondary.h"
#include "models/store.h"
#include "models/tokenizer.h"
#include "models/unet.h"
#include "models/upscaler.h"
#include "run/memory_estimate.h"

namespace disco {

class Session {
 public:
  /// `device` is "auto", "cpu" or "cuda"; threads 0 means all cores; `precision` is "auto", "half" (GPUs alone, and
  /// theirs by default) or "float". Sets the process's threads and asks for deterministic algorithms. Throws
  /// RequestError for a device or a precision that is not there.
  Session(std::vector<std::filesystem::path> model_folders, const std::string& device, int threads,
          const std::string& precision = "auto");

  std::shared_ptr<const UNet> diffusion(const std::string& name);
  std::shared_ptr<const SecondaryModel> secondary(const std::string& name);
  /// With its text side: loaded again where give_up_text() was called.
  std::shared_ptr<const Clip> clip(const std::string& name);
  /// The loaded model without its text side, whose memory is free once nobody else holds the whole.
  std::shared_ptr<const Clip> give_up_text(const std::string& name);
  std::shared_ptr<const Lpips> lpips(const std::string& name);
  std::shared_ptr<const Upscaler> upscaler(const std::string& name);
  const Tokenizer& tokenizer();

  /// Models that are not there are made up, for measurements: random weights in the published shapes.
  void make_up_missing_models() { makes_up_ = true; }
  /// Names of the models made up so far.
  const std::vector<std::string>& made_up() const { return made_up_; }

  /// From now on weights are kept as the plan says: large layers' in half precision (models/half_storage.h) or not, on
  /// a GPU or in the processor's memory. Models that were loaded otherwise are loaded again when they are asked for.
  void keep_weights(const MemoryPlan& plan);

  /// Hears the name of each model before it is loaded.
  void on_loading(std::function<void(const std::string&)> listener) { loading_ = std::move(listener); }

  /// What a run on the session's device may take: `limit` bytes when not 0.
  MemoryOffer memory(std::uint64_t limit) const;
  /// A GPU gives this process no more bytes than that, whatever was predicted; 0: all that it has.
  void hold_to(std::uint64_t limit) const;

  ModelStore& store() { return store_; }
  const std::vector<std::filesystem::path>& model_folders() const { return folders_; }
  at::Device device() const { return device_; }
  /// Whether the diffusion UNet, the secondary model and CLIP compute in half precision.
  bool computes_in_half() const { return half_; }
  /// "cpu, 2 threads", "cuda:0 (NVIDIA …), half".
  std::string device_name() const;

 private:
  /// A model's tensors in float32 on the session's device, but for those that are kept in half precision or elsewhere.
  StateDict load(const ModelEntry& entry);
  StateDict kept(StateDict tensors, const std::string& role) const;
  /// Whether the model is to be made up.
  bool lacks(const std::string& name, const std::string& role);
  StateDict made_up_weights(const std::string& name, const std::string& role, const std::vector<TensorInfo>& manifest);

  std::vector<std::filesystem::path> folders_;
  ModelStore store_;
  at::Device device_;
  std::function<void(const std::string&)> loading_;
  std::map<std::string, std::shared_ptr<const UNet>> diffusion_;
  std::map<std::string, std::shared_ptr<const SecondaryModel>> secondary_;
  std::map<std::string, std::shared_ptr<const Clip>> clip_;
  std::map<std::string, std::shared_ptr<const Lpips>> lpips_;
  std::map<std::string, std::shared_ptr<const Upscaler>> upscaler_;
  std::unique_ptr<Tokenizer> tokenizer_;
  bool half_ = false, makes_up_ = false, half_weights_ = false, weights_on_host_ = false;
  std::vector<std::string> made_up_;
};

/// SHA-256 of a weights file, computed once and remembered in the user's data folder by path, size and time. For any
/// thread.
std::string weights_hash(const std::filesystem::path& file);

}  // namespace disco

#include "run/session.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <mutex>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "kernels/choice.h"
#include "kernels/gpu.h"
#include "kernels/page_keeper.h"
#include "models/half_storage.h"
#include "models/known_shapes.h"
#include "models/parameters.h"

namespace disco {
namespace {

constexpr at::DeviceIndex first_gpu = 0;

at::Device choose_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name == "cuda" || name.starts_with("cuda:")) {
    if (!at::hasCUDA()) {
      throw RequestError("this build has no CUDA, or the machine no usable GPU", "--device " + name,
                         "use --device cpu");
    }
    const at::Device device(name);
    return at::Device(at::kCUDA, device.has_index() ? device.index() : first_gpu);
  }
  if (name == "auto" || name.empty()) return at::hasCUDA() ? at::Device(at::kCUDA, first_gpu) : at::Device(at::kCPU);
  throw RequestError("there is no such device", "--device " + name, "use auto, cpu or cuda");
}

bool choose_half(const std::string& precision, at::Device device) {
  if (precision == "auto") return device.is_cuda();
  if (precision == "float") return false;
  if (precision != "half") {
    throw RequestError("there is no such precision", "--precision " + precision, "use auto, half or float");
  }
  if (!device.is_cuda()) {
    throw RequestError("the processor computes in float alone", "--precision half",
                       "use --device cuda, or leave it out");
  }
  return true;
}

/// Sums in float32 and one order of them, whatever is multiplied.
void make_gpu_repeatable() {
  // Read by cuBLAS when it is first used: a workspace of a size at which its results are the same from run to run.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(false, /*warn_only=*/false);  // But see StrictlyDeterministic.
  context.setDeterministicCuDNN(true);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setAllowFP16ReductionCuBLAS(false);
}

/// Roles whose networks compute in half precision where the session does. LPIPS sums up many small differences.
bool may_compute_in_half(const std::string& role) {
  return role == "diffusion" || role == "secondary" || role == "clip";
}

/// Whether CLIP's ResNets run with their batch norms folded into the convolutions: not on the processor, where the
/// gradient of RN50 took 1.7 times as long that way.
bool folds_norms(bool half) { return half && chosen_kernels() == Kernels::fast; }

/// Roles whose weights a plan may leave in the processor's memory: the others' are small.
bool may_stay_on_host(const std::string& role) { return role == "diffusion" || role == "clip"; }

/// What a network turns into float32 before it is used, or sums up by.
bool stays_float(const std::string& tensor) {
  const auto has = [&](const char* part) { return tensor.find(part) != std::string::npos; };
  return has(".bn") || has("downsample.1.") || has("running_") || has("timestep_embed.");
}

/// Looks `name` up in a cache of loaded models, or loads it.
template <typename Model, typename Load>
std::shared_ptr<const Model> cached(std::map<std::string, std::shared_ptr<const Model>>& cache, const std::string& name,
                                    const Load& load) {
  auto& slot = cache[name];
  if (!slot) slot = load();
  return slot;
}

fs::path hash_cache_file() { return user_data_folder() / "hashes.json"; }

}  // namespace

Session::Session(std::vector<fs::path> model_folders, const std::string& device, int threads,
                 const std::string& precision)
    : folders_(std::move(model_folders)),
      store_(folders_),
      device_(choose_device(device)),
      half_(choose_half(precision, device_)) {
  if (threads > 0) at::set_num_threads(threads);
  keep_pages();
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  // Filling fresh memory with NaN is a debugging aid that costs a pass over every tensor.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  if (device_.is_cuda()) make_gpu_repeatable();
}

StateDict Session::load(const ModelEntry& entry) {
  if (loading_) loading_(entry.name);
  StateDict tensors = load_weights(entry.weights);
  if (entry.role == "clip" && folds_norms(half_)) tensors = fold_batch_norms(std::move(tensors));
  return kept(std::move(tensors), entry.role);
}

StateDict Session::kept(StateDict tensors, const std::string& role) const {
  const bool half = half_ && may_compute_in_half(role), on_host = weights_on_host_ && may_stay_on_host(role);
  const at::Device device = on_host ? at::Device(at::kCPU) : device_;
  for (auto& [name, tensor] : tensors) {
    // Converted one by one, so that at most one copy of the weights is held beside the file's pages.
    if (!tensor.is_floating_point())
      tensor = tensor.to(device);
    else if (half && !stays_float(name))
      tensor = tensor.to(device, at::kHalf);
    else if (half_weights_ && may_be_half(role, {name, tensor.scalar_type(), tensor.sizes().vec()}))
      tensor = to_half(tensor).to(device);
    else
      tensor = tensor.to(device, at::kFloat);
    // As the pictures lie that they meet, or every convolution would turn its own around.
    if (device_.is_cuda() && tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    if (on_host) tensor = tensor.pin_memory();
  }
  return tensors;
}

void Session::keep_weights(const MemoryPlan& plan) {
  const bool on_host = plan.weights_on_host && device_.is_cuda();
  if (plan.half_weights == half_weights_ && on_host == weights_on_host_) return;
  half_weights_ = plan.half_weights;
  weights_on_host_ = on_host;
  diffusion_.clear();
  clip_.clear();
}

bool Session::lacks(const std::string& name, const std::string& role) { return makes_up_ && !store_.find(name, role); }

StateDict Session::made_up_weights(const std::string& name, const std::string& role,
                                   const std::vector<TensorInfo>& manifest) {
  made_up_.push_back(name);
  StateDict tensors;
  // One by one, as they would come from a file, so that the peak is that of real ones.
  for (const TensorInfo& tensor : manifest) tensors.merge(kept(random_weights({tensor}, made_up_.size()), role));
  return tensors;
}

std::shared_ptr<const UNet> Session::diffusion(const std::string& name) {
  return cached(diffusion_, name, [&] {
    if (const auto shape = known_unet_shape(name); shape && lacks(name, "diffusion")) {
      return std::make_shared<const UNet>(*shape, made_up_weights(name, "diffusion", UNet::manifest(*shape)));
    }
    const ModelEntry entry = store_.require(name, "diffusion");
    StateDict tensors = load(entry);
    UNetConfig config = UNet::recognise(tensors, entry.config);
    return std::make_shared<const UNet>(std::move(config), std::move(tensors));
  });
}

std::shared_ptr<const SecondaryModel> Session::secondary(const std::string& name) {
  return cached(secondary_, name, [&] {
    if (find_in_catalog(name) && lacks(name, "secondary")) {
      return std::make_shared<const SecondaryModel>(made_up_weights(name, "secondary", SecondaryModel::manifest()));
    }
    return std::make_shared<const SecondaryModel>(load(store_.require(name, "secondary")));
  });
}

std::shared_ptr<const Clip> Session::give_up_text(const std::string& name) {
  std::shared_ptr<const Clip>& model = clip_.at(name);
  if (model->has_text()) model = std::make_shared<const Clip>(model->without_text());
  return model;
}

std::shared_ptr<const Clip> Session::clip(const std::string& name) {
  if (const auto known = clip_.find(name); known != clip_.end() && known->second && !known->second->has_text()) {
    clip_.erase(known);
  }
  return cached(clip_, name, [&] {
    if (auto shape = known_clip_shape(name); shape && lacks(name, "clip")) {
      shape->folded = !shape->is_vit && folds_norms(half_);
      return std::make_shared<const Clip>(made_up_weights(name, "clip", Clip::manifest(*shape)), "quick_gelu");
    }
    const ModelEntry entry = store_.require(name, "clip");
    return std::make_shared<const Clip>(load(entry), entry.config.value("activation", "quick_gelu"));
  });
}

std::shared_ptr<const Lpips> Session::lpips(const std::string& name) {
  return cached(lpips_, name, [&] {
    if (lacks(name, "lpips")) return std::make_shared<const Lpips>(made_up_weights(name, "lpips", Lpips::manifest()));
    return std::make_shared<const Lpips>(load(store_.require(name, "lpips")));
  });
}

std::shared_ptr<const Upscaler> Session::upscaler(const std::string& name) {
  return cached(upscaler_, name,
                [&] { return std::make_shared<const Upscaler>(load(store_.require(name, "upscaler"))); });
}

MemoryOffer Session::memory(std::uint64_t limit) const {
  MemoryOffer offer(limit);
  offer.half = half_;
  if (device_.is_cuda() && gpu()) offer.gpu = gpu()->memory(device_);
  return offer;
}

void Session::hold_to(std::uint64_t limit) const {
  if (device_.is_cuda() && gpu()) gpu()->limit_memory(device_, limit);
}

const Tokenizer& Session::tokenizer() {
  if (!tokenizer_) tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::find_vocabulary(folders_));
  return *tokenizer_;
}

std::string Session::device_name() const {
  if (device_.is_cpu()) return fmt::format("cpu, {} threads", at::get_num_threads());
  const std::string name = gpu() ? fmt::format(" ({})", gpu()->name(device_)) : "";
  return fmt::format("{}{}, {}", device_.str(), name, half_ ? "half" : "float");
}

std::string weights_hash(const fs::path& file) {
  static std::mutex one_at_a_time;
  const std::scoped_lock lock(one_at_a_time);
  std::error_code error;
  const auto size = fs::file_size(file, error);
  const auto time = fs::last_write_time(file, error).time_since_epoch().count();
  const std::string key = fmt::format("{}|{}|{}", fs::absolute(file).string(), size, time);
  nlohmann::json cache = nlohmann::json::object();
  try {
    cache = nlohmann::json::parse(read_file(hash_cache_file()));
    if (cache.is_object() && cache.contains(key) && cache[key].is_string()) return cache[key];
    if (!cache.is_object()) cache = nlohmann::json::object();
  } catch (const std::exception&) {
    cache = nlohmann::json::object();  // No cache yet, or a damaged one: it is only a cache.
  }
  std::string hash = sha256_file(file);
  cache[key] = hash;
  try {
    write_file(hash_cache_file(), cache.dump(1));
  } catch (const Error&) {
    // A home that cannot be written costs time at the next run, nothing else.
  }
  return hash;
}

}  // namespace disco

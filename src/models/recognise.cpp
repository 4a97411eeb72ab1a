#include "models/recognise.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace disco {
namespace {

/// A role is recognised when all of its tensors are there. More special roles stand first.
struct Signature {
  const char* role;
  std::vector<const char*> tensors;
};

const std::array<Signature, 12>& signatures() {
  static const std::array<Signature, 12> all = {{
      {"diffusion", {"input_blocks.0.0.weight", "time_embed.0.weight", "out.2.weight"}},
      {"secondary", {"timestep_embed.weight", "net.0.0.weight"}},
      {"lpips", {"net.slice1.0.weight", "lin0.model.1.weight"}},
      {"lpips-heads", {"lin0.model.1.weight", "lin4.model.1.weight"}},
      {"clip", {"visual.conv1.weight", "token_embedding.weight"}},
      {"clip", {"visual.conv1.weight", "text.token_embedding.weight"}},
      {"lpips-backbone", {"features.0.weight", "features.28.weight"}},
      {"upscaler", {"head.weight", "body.0.0.weight", "up.weight", "tail.weight"}},
      {"upscaler", {"conv_first.weight", "body.0.rdb1.conv1.weight"}},
      {"upscaler", {"conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight"}},
      {"depth", {"pretrained.model.patch_embed.proj.weight", "scratch.output_conv.0.weight"}},
      {"flow", {"fnet.conv1.weight", "update_block.flow_head.conv1.weight"}},
  }};
  return all;
}

}  // namespace

Recognised recognise(const weights::Layout& layout, const std::string& file_name) {
  std::set<std::string_view> names;
  for (const weights::TensorLayout& tensor : layout.tensors) names.insert(tensor.name);
  const auto& all = signatures();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Signature& signature) {
    return std::all_of(signature.tensors.begin(), signature.tensors.end(),
                       [&](const char* t) { return names.contains(t); });
  });
  Recognised result;
  if (found == all.end()) return result;
  result.role = found->role;
  if (result.role == "clip") {
    // The tensors do not tell the activation. OpenAI's models come as TorchScript archives and use QuickGELU, as do the
    // OpenCLIP models that say so in their name.
    const std::string name = lower_case(file_name);
    const bool quick = layout.format == "torchscript" || name.find("quickgelu") != std::string::npos ||
                       name.find("openai") != std::string::npos;
    result.config["activation"] = quick ? "quick_gelu" : "gelu";
  }
  return result;
}

Recognised RecognitionCache::look(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  const fs::file_time_type time = fs::last_write_time(file, error);
  if (error) return {};
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(file);
    if (found != known_.end() && found->second.size == size && found->second.time == time)
      return found->second.recognised;
  }
  Recognised recognised;
  try {
    const auto mapped = MappedFile::open(file);
    recognised = recognise(weights::read_layout(mapped->bytes(), file.string()), file.filename().string());
  } catch (const Error&) {
    // Not a weights file, or a damaged one: not a model either way.
  }
  const std::lock_guard lock(mutex_);
  known_[file] = {size, time, recognised};
  return recognised;
}

}  // namespace disco

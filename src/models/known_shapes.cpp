#include "models/known_shapes.h"

#include <map>

#include "models/store.h"

namespace disco {
namespace {

ClipConfig vit(std::int64_t patch, std::int64_t size, std::int64_t width, std::int64_t layers, std::int64_t embedding,
               std::int64_t text_width) {
  ClipConfig config;
  config.patch = patch;
  config.input_size = size;
  config.vision_width = width;
  config.vision_heads = width / 64;
  config.vision_layers = layers;
  config.embedding = embedding;
  config.text_width = text_width;
  config.text_heads = text_width / 64;
  return config;
}

ClipConfig resnet(std::vector<std::int64_t> blocks, std::int64_t size, std::int64_t width, std::int64_t embedding,
                  std::int64_t text_width) {
  ClipConfig config = vit(0, size, width, 0, embedding, text_width);
  config.is_vit = false;
  config.stage_blocks = std::move(blocks);
  config.vision_heads = width * 32 / 64;
  return config;
}

/// Radford 2021, tables 19 and 20; by their names as files spell them.
const std::map<std::string, ClipConfig>& published() {
  static const std::map<std::string, ClipConfig> shapes = {
      {"RN50", resnet({3, 4, 6, 3}, 224, 64, 1024, 512)},
      {"RN101", resnet({3, 4, 23, 3}, 224, 64, 512, 512)},
      {"RN50x4", resnet({4, 6, 10, 6}, 288, 80, 640, 640)},
      {"RN50x16", resnet({6, 8, 18, 8}, 384, 96, 768, 768)},
      {"RN50x64", resnet({3, 15, 36, 10}, 448, 128, 1024, 1024)},
      {"ViT-B-32", vit(32, 224, 768, 12, 512, 512)},
      {"ViT-B-16", vit(16, 224, 768, 12, 512, 512)},
      {"ViT-L-14", vit(14, 224, 1024, 24, 768, 768)},
      {"ViT-L-14-336px", vit(14, 336, 1024, 24, 768, 768)},
  };
  return shapes;
}

}  // namespace

std::optional<ClipConfig> known_clip_shape(const std::string& name) {
  const CatalogEntry* entry = find_in_catalog(name);
  if (!entry || entry->role != "clip") return std::nullopt;
  const auto found = published().find(file_spelling(entry->name.substr(0, entry->name.find("::"))));
  return found == published().end() ? std::nullopt : std::optional(found->second);
}

std::optional<UNetConfig> known_unet_shape(const std::string& name) {
  const CatalogEntry* entry = find_in_catalog(name);
  if (!entry || entry->role != "diffusion" || !entry->config.is_object()) return std::nullopt;
  return UNetConfig::from_json(entry->config);
}

}  // namespace disco

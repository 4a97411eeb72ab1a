// A run on the disk: all that is needed to go on to the same bits. One safetensors file a picture; its metadata is
// JSON.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "run/generation.h"
#include "settings/settings.h"

namespace disco {

/// A noisy picture to carry on from.
struct NoisyPicture {
  at::Tensor x;              ///< (1,3,H,W)
  double alpha_cumprod = 0;  ///< Its ᾱ.
  std::string draft = {};    ///< The name of the draft that it was.
};

struct Checkpoint {
  Settings settings;                                ///< Resolved, with the seed that was drawn; paths absolute.
  std::map<std::string, std::string> origins;       ///< Where each setting came from, for drafts.
  int picture = 0;                                  ///< The picture that the state belongs to, from 0.
  int number = 0;                                   ///< N of BATCH(N)_0000.
  double seconds = 0;                               ///< Spent on the run so far.
  std::map<std::string, std::string> model_hashes;  ///< Model name → SHA-256, to refuse other weights.
  std::map<std::string, std::string> inputs;        ///< Path of an init, mask or image prompt → its SHA-256.
  int threads = 0;
  MemoryPlan plan;        ///< The run goes on with the plan that it was begun with.
  bool drafts = false;    ///< The run draws drafts, not pictures.
  double stop_share = 1;  ///< Pictures stop after this share of the steps.
  std::string next;       ///< File name of the checkpoint, in the same folder, that was asked for with this one.
  std::string device;
  /// A finished draft: ᾱ of its noisy picture, for carrying it on with other steps; 0 otherwise.
  double alpha_cumprod = 0;
  std::optional<NoisyPicture> start;  ///< What the run carries on from, instead of noise.
  at::Tensor stream_before;           ///< Faithful runs: the shared stream as it was before this picture.
  std::optional<PictureState> state;  ///< Nothing: the picture has not been begun.
};

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
/// The bytes that write_checkpoint() writes for a checkpoint without a state.
std::string first_checkpoint(const Checkpoint& checkpoint);
/// Throws FormatError when the file is no checkpoint, one of another version, or holds what no run writes.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// Whether a checkpoint has all that it needs: a run that carries a draft on may be killed before that is in its first
/// one.
bool was_begun(const std::filesystem::path& checkpoint);

/// The one to go on with of the checkpoints that were asked for together with this one: the first that is left.
std::filesystem::path first_of_chain(const std::filesystem::path& checkpoint);

/// Unfinished runs (*.ckpt) at or below a path, newest first.
std::vector<std::filesystem::path> find_checkpoints(const std::filesystem::path& path);

}  // namespace disco

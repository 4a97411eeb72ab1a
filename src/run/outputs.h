// The files of a run: names, pictures with their settings inside, the JSON beside them, partial pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "picture/picture.h"
#include "run/checkpoint.h"
#include "run/generation.h"
#include "settings/settings.h"

namespace disco {

/// Where the files of one run lie: OUT/BATCH/BATCH(N)_0000.png and so on.
class OutputNames {
 public:
  OutputNames(std::filesystem::path folder, std::string batch, int number, std::string format)
      : folder_(std::move(folder)), batch_(std::move(batch)), number_(number), format_(std::move(format)) {}

  std::filesystem::path picture(int k) const { return folder_ / (stem(k) + "." + format_); }
  std::filesystem::path sidecar(int k) const { return folder_ / (stem(k) + ".json"); }
  std::filesystem::path checkpoint(int k) const { return folder_ / (stem(k) + ".ckpt"); }
  /// Held while a process draws the run.
  std::filesystem::path lock() const;
  /// BATCH(N)_0000-LABEL.png, of partial_label().
  std::filesystem::path partial(int k, const std::string& label, bool subfolder) const;
  const std::filesystem::path& folder() const { return folder_; }
  int number() const { return number_; }

 private:
  std::string stem(int k) const;

  std::filesystem::path folder_;
  std::string batch_;
  int number_;
  std::string format_;
};

/// The smallest run number that no file in `folder` uses yet.
int next_run_number(const std::filesystem::path& folder, const std::string& batch);

/// A batch name as a file name: path separators and control characters become "_"; empty becomes "disco".
std::string file_name(const std::string& batch);

/// The texts that a picture carries: `parameters` (API.md) and `disco`, all settings as JSON. The same for the same
/// settings and models: no times, no paths of this machine's outputs.
///
/// A picture that was carried on from a draft says so in `disco.carried_on`: its settings alone draw another one.
PictureText picture_texts(const Settings& settings, std::int64_t picture_seed,
                          const std::map<std::string, std::string>& model_hashes,
                          const std::optional<NoisyPicture>& start = {});

struct SidecarFacts {
  std::int64_t seed = 0;  ///< Of this picture.
  int picture = 0;
  std::string device;
  std::map<std::string, std::string> model_hashes;
  std::uint64_t peak_memory = 0;  ///< Bytes, of the process.
  std::string plan;               ///< What was given up to fit into memory, in words.
  std::optional<NoisyPicture> start = {};
};

/// BATCH(N)_0000.json.
nlohmann::ordered_json sidecar(const Settings& settings, const PictureState& state, const SidecarFacts& facts);

/// The end of the name of the partial picture that is kept after `done` of `steps` steps, or nothing when none is. As
/// 5.7's: "40%" for a number of saves or shares of the steps, "120" for steps that were named. Where two saves would
/// have one percentage, both have their steps.
std::optional<std::string> partial_label(const IntermediateSaves& saves, int done, int steps);

/// The most memory that this process has held, in bytes.
std::uint64_t peak_memory();

}  // namespace disco

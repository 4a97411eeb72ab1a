// What the importers share: one file of another program on its way to native settings, key by key.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "settings/import.h"
#include "settings/schedule.h"
#include "settings/settings.h"

namespace disco {

/// Keeps account of the keys of a file: each is taken over, or ignored with a reason; finish() sees to the rest. Values
/// that the settings table does not accept are ignored with the table's reason, so that the result can always be used.
class Conversion {
 public:
  /// `object` must outlive the conversion.
  Conversion(std::string source, const nlohmann::ordered_json& object);

  /// Whether the file gives the key a value (null is none).
  bool has(const std::string& key) const;
  /// The file's value, or null.
  const nlohmann::ordered_json& operator[](const std::string& key) const;
  /// The file's value as a number or a boolean, where it is one (also when written as text); else `otherwise`.
  double number(const std::string& key, double otherwise) const;
  bool boolean(const std::string& key, bool otherwise) const;

  /// Takes the file's value over as the native setting `native`.
  void take(const std::string& key, const std::string& native);
  /// Takes `value`, which was made from the file's value of `key`.
  void take(const std::string& key, const std::string& native, nlohmann::ordered_json value);
  /// Sets a native value that comes from no key of the file alone.
  void set(const std::string& native, nlohmann::ordered_json value);
  /// The value was used in another key's conversion.
  void used(const std::string& key) { handled_.insert(key); }
  void ignore(const std::string& key, const std::string& reason);
  void ignore_all(std::span<const IgnoredKey> keys);
  void note(const std::string& text);

  /// The settings as far as they are converted, the program's defaults for the rest.
  const Settings& so_far() const { return checked_; }
  const nlohmann::ordered_json& values() const { return result_.values; }

  /// Takes keys over that are native settings by name, and ignores all others.
  ImportedSettings finish();

 private:
  /// Whether the table accepts the value, which is then written as the table writes it; `reason` says why not.
  bool accepted(const std::string& native, nlohmann::ordered_json& value, std::string& reason);

  const nlohmann::ordered_json& object_;
  ImportedSettings result_;
  Settings checked_;
  std::set<std::string> handled_;
};

/// Disco Diffusion's switch of each CLIP model ("ViTB32") and its name in the catalog ("ViT-B/32"), in the order in
/// which Disco Diffusion asks the models, which decides the random draws of its pictures.
const std::vector<std::pair<std::string, std::string>>& clip_switches();
/// The names of the catalog's entries with this role.
std::vector<std::string> catalog_names(const std::string& role);

/// A schedule from a number, a boolean, a text or a list of 1000 numbers or booleans. Throws RequestError.
Schedule schedule_of(const nlohmann::ordered_json& value);
/// The text of a value, or nothing where it is none.
std::string text_of(const nlohmann::ordered_json& value);
/// Prompts that hold from the first frame on.
nlohmann::ordered_json from_first_frame(nlohmann::ordered_json prompts);
/// A native prompt: `text` with `weight`, as an object, heard by `clip_models` (all when empty).
nlohmann::ordered_json prompt_object(const std::string& text, const Schedule& weight,
                                     const std::vector<std::string>& clip_models = {});
/// A native choice of a CLIP model: the name, or an object where the weight is not 1.
nlohmann::ordered_json clip_object(const std::string& name, const Schedule& weight);

}  // namespace disco

// The programs whose settings can be read. To add one: a file here with a recogniser and a converter, a line in
// importers() (src/settings/import.cpp), and a full-size file of the program under tests/settings/fixtures/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "settings/import.h"

namespace disco {

struct Importer {
  std::string program;
  /// How sure it is that the file is its program's: 0 not at all, else about the number of keys only that program has.
  double (*recognise)(const nlohmann::ordered_json& object);
  ImportedSettings (*convert)(const nlohmann::ordered_json& object);
};

Importer disco_diffusion_importer();
Importer discoart_importer();
Importer progrock_importer();
Importer philpax_importer();
/// This program's own settings files and the records beside its pictures.
Importer own_importer();

/// Of pictures that are not drawn again by their settings alone.
constexpr const char* carried_on_note =
    "the picture was carried on from a draft: without it, its settings draw another picture";

/// The texts of a picture: our own "disco", else the "parameters" of other programs. Throws RequestError when there is
/// neither.
ImportedSettings import_picture(const std::string& bytes, const std::string& name);
/// The text "parameters" that most programs write into their pictures.
ImportedSettings import_parameters(const std::string& text);

/// How many of the keys the object has.
int count_keys(const nlohmann::ordered_json& object, const std::vector<std::string>& keys);

}  // namespace disco

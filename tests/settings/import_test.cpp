// Recognition of settings files, errors, and the account that every importer keeps of every key.
#include "settings/import.h"

#include <unistd.h>

#include <set>

#include "core/error.h"
#include "imported.h"

namespace disco {
namespace {

using testing::HasSubstr;

struct WholeFile {
  std::string name, source;
};

class WholeFiles : public testing::TestWithParam<WholeFile> {};

TEST_P(WholeFiles, AreRecognised) { EXPECT_EQ(import_settings(fixture(GetParam().name)).source, GetParam().source); }

TEST_P(WholeFiles, GiveValuesThatTheTableAccepts) {
  const ImportedSettings imported = import_settings(fixture(GetParam().name));
  EXPECT_GT(imported.values.size(), 4u);
  for (const auto& [key, value] : imported.values.items()) {
    Settings settings = default_settings();
    const SettingSpec* spec = find_setting(key);
    ASSERT_NE(spec, nullptr) << key;
    EXPECT_EQ(spec->key, key) << "aliases are not for files of our own";
    EXPECT_NO_THROW(set_value(settings, *spec, value, key)) << key << " = " << value;
  }
}

/// Another value of the same kind.
Json changed(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() + 1;
  return value;
}

TEST_P(WholeFiles, LoseNoKeySilently) {
  const Json document = fixture_document(GetParam().name);
  const ImportedSettings imported = import_document(document, "file");
  std::set<std::string> ignored;
  for (const IgnoredKey& key : imported.ignored) {
    EXPECT_TRUE(document.contains(key.key)) << key.key;
    EXPECT_FALSE(key.reason.empty()) << key.key;
    EXPECT_TRUE(ignored.insert(key.key).second) << key.key << " is listed twice";
  }
  for (const auto& [key, value] : document.items()) {
    if (ignored.contains(key)) continue;
    // A key that counts makes a difference when it is taken away or changed.
    Json without = document, other = document;
    without.erase(key);
    other[key] = changed(value);
    EXPECT_TRUE(import_document(without, "file").values != imported.values ||
                import_document(other, "file").values != imported.values)
        << key << " is neither converted nor listed as ignored";
  }
}

INSTANTIATE_TEST_SUITE_P(Import, WholeFiles,
                         testing::Values(WholeFile{"disco_diffusion_5_7_settings.txt", "Disco Diffusion 5.7"},
                                         WholeFile{"disco_diffusion_5_0_settings.txt", "Disco Diffusion 5"},
                                         WholeFile{"discoart.yml", "DiscoArt"}, WholeFile{"discoart.json", "DiscoArt"},
                                         WholeFile{"progrock.json", "ProgRockDiffusion"},
                                         WholeFile{"philpax_settings.json", "philpax"}),
                         [](const auto& file) {
                           std::string name = file.param.name;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !isalnum(c); }, '_');
                           return name;
                         });

class ImportFile : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    const fs::path path = folder_ / name;
    write_file(path, text);
    return path;
  }
  std::string error_of(const fs::path& path) {
    try {
      import_settings(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  void TearDown() override { fs::remove_all(folder_); }

 private:
  fs::path folder_ = fs::path(testing::TempDir()) / ("import_" + std::to_string(::getpid()));
};

TEST_F(ImportFile, AnUnknownFileIsAnErrorThatNamesThePrograms) {
  const std::string error = error_of(write("other.json", R"({"colour": "red", "size": 3})"));
  EXPECT_THAT(error, HasSubstr("other.json"));
  EXPECT_THAT(error, HasSubstr("no known program"));
  EXPECT_THAT(error, HasSubstr("ProgRockDiffusion"));
}

TEST_F(ImportFile, AListOrATextIsNoSettingsFile) {
  EXPECT_THAT(error_of(write("list.json", "[1, 2]")), HasSubstr("no known program"));
  EXPECT_THAT(error_of(write("text.yml", "a castle by the sea")), HasSubstr("no known program"));
}

TEST_F(ImportFile, BrokenFilesAreErrorsThatNameTheLine) {
  EXPECT_THAT(error_of(write("broken.json", "{\n\"steps\": 250,\n\"width\": }")), HasSubstr("line 3"));
  EXPECT_THAT(error_of(write("broken_settings.txt", "{\n\"steps\": 250,\n\"width\": }")), HasSubstr("line 3"));
  EXPECT_THAT(error_of(write("broken.yml", "steps: 250\nwidth: [1,\n")), HasSubstr("broken.yml"));
  EXPECT_THAT(error_of(write("empty.json", "")), HasSubstr("empty.json"));
}

TEST_F(ImportFile, AMissingFileIsNamed) { EXPECT_THAT(error_of("/nowhere/x.json"), HasSubstr("/nowhere/x.json")); }

TEST_F(ImportFile, ABrokenPictureIsAnError) {
  EXPECT_THAT(error_of(write("half.png", "\x89PNG\r\n\x1a\n\0\0")), HasSubstr("half.png"));
}

TEST_F(ImportFile, YamlIsReadWhateverItsName) {
  const ImportedSettings imported =
      import_settings(write("settings.txt", "text_prompts: [a fox]\nwidth_height: [640, 512]\nbatch_size: 1\n"));
  EXPECT_EQ(imported.source, "DiscoArt");
  EXPECT_EQ(settings_of(imported).width, 640);
}

TEST_F(ImportFile, ValuesThatMakeNoSenseAreIgnoredWithTheReason) {
  Json document = fixture_document("disco_diffusion_5_7_settings.txt");
  document["steps"] = "many";
  document["cut_overview"] = "[12]*400";
  document["eta"] = Json::array({1, 2});
  document["width"] = -5;
  document["angle"] = Json::object();
  const ImportedSettings imported = import_document(document, "file");
  EXPECT_THAT(reason_for(imported, "steps"), HasSubstr("not a whole number"));
  EXPECT_THAT(reason_for(imported, "cut_overview"), HasSubstr("600 of the 1000 are missing"));
  EXPECT_NE(reason_for(imported, "eta"), "");
  EXPECT_THAT(reason_for(imported, "width"), HasSubstr("out of range"));
  EXPECT_NE(reason_for(imported, "angle"), "");
  EXPECT_EQ(settings_of(imported).steps, default_settings().steps);
}

TEST_F(ImportFile, ValuesOfAnyKindNeverCrashAnImporter) {
  const std::vector<Json> values = {nullptr,       true,           -1,         1e300,        "",
                                    "<",           "<|>",          "<^^9|a>",  "::",         "[",
                                    Json::array(), Json::object(), {{"0", 1}}, {{"x", {1}}}, {{{"text", 3}}},
                                    {nullptr, 1}};
  for (const char* name : {"disco_diffusion_5_7_settings.txt", "discoart.json", "discoart.yml", "progrock.json",
                           "philpax_settings.json"}) {
    const Json document = fixture_document(name);
    std::size_t next = 0;
    for (const auto& [key, value] : document.items()) {
      // Three values a key; over all keys each value has its turn.
      for (int turn = 0; turn < 3; ++turn) {
        Json strange = document;
        strange[key] = values[next++ % values.size()];
        try {
          EXPECT_FALSE(import_document(strange, "file").source.empty());
        } catch (const RequestError&) {
          // A clear refusal is as good.
        }
      }
    }
  }
}

TEST_F(ImportFile, OurOwnSettingsComeBackAsTheyAre) {
  Settings settings = default_settings();
  settings.steps = 333;
  settings.clip_guidance_scale = Schedule::parse("5000 -> 20000");
  settings.compat = "disco-5.7";
  const ImportedSettings imported = import_settings(write("mine.json", to_json(settings).dump()));
  EXPECT_EQ(imported.source, "disco settings");
  EXPECT_TRUE(imported.ignored.empty());
  EXPECT_EQ(settings_of(imported), settings);
}

TEST_F(ImportFile, TheRecordBesideAPictureGivesItsSettingsAndSeed) {
  Settings settings = default_settings();
  settings.seed = -1;
  const Json record = {{"settings", to_json(settings)}, {"seed", 77}, {"losses", {0.9, 0.8}}, {"device", "cpu"}};
  const ImportedSettings imported = import_settings(write("disco(0)_0000.json", record.dump()));
  EXPECT_EQ(imported.source, "disco picture");
  EXPECT_EQ(settings_of(imported).seed, 77);
  EXPECT_THAT(reason_for(imported, "losses"), HasSubstr("record"));
}

TEST_F(ImportFile, AKeyOfALaterVersionIsListed) {
  Json document = to_json(default_settings());
  document["dreaminess"] = 3;
  EXPECT_THAT(reason_for(import_document(document, "file"), "dreaminess"), HasSubstr("no such setting"));
}

}  // namespace
}  // namespace disco

// Settings that travel in pictures.
#include "core/error.h"
#include "imported.h"
#include "picture/picture.h"
#include "settings/importers/importers.h"

namespace disco {
namespace {

using testing::HasSubstr;

const std::string example =
    "a castle (with: colons, and commas)\nby the sea\nNegative prompt: blurry, text\n"
    "Steps: 30, Sampler: Euler a, CFG scale: 7, Seed: 4711, Size: 640x960, Model hash: 0123456789, Model: dream, "
    "Lora hashes: \"a: 1, b: 2\", Version: v1.6";

TEST(ImportParameters, PromptsStepsSeedAndSize) {
  const ImportedSettings imported = import_parameters(example);
  EXPECT_EQ(imported.source, "parameters of another program");
  const Settings settings = settings_of(imported);
  const std::vector<Prompt>& prompts = settings.text_prompts.at(0);
  ASSERT_EQ(prompts.size(), 2u);
  EXPECT_EQ(prompts[0].text, "a castle (with: colons, and commas)\nby the sea");
  EXPECT_EQ(prompts[0].weight.at(0), 1);
  EXPECT_EQ(prompts[1].text, "blurry, text");
  EXPECT_EQ(prompts[1].weight.at(0), -0.5);
  EXPECT_EQ(settings.steps, 30);
  EXPECT_EQ(settings.seed, 4711);
  EXPECT_EQ(settings.width, 640);
  EXPECT_EQ(settings.height, 960);
  for (const char* key : {"Sampler", "CFG scale", "Model hash", "Model", "Lora hashes", "Version"}) {
    EXPECT_NE(reason_for(imported, key), "") << key;
  }
  EXPECT_EQ(imported.ignored.size(), 6u);
  EXPECT_THAT(all_notes(imported), HasSubstr("so few steps"));
}

TEST(ImportParameters, OurOwnAreRecognised) {
  const ImportedSettings imported = import_parameters(
      "a fox\nSteps: 250, Sampler: PLMS, CFG scale: 5000, Seed: 1, Size: 512x512, Version: disco-0.1.0");
  EXPECT_EQ(imported.source, "disco picture");
  EXPECT_EQ(settings_of(imported).diffusion_sampling_mode, "plms");
}

TEST(ImportParameters, ALoneLineIsAPrompt) {
  const ImportedSettings imported = import_parameters("a painting: of a ship, oil: thick");
  EXPECT_EQ(settings_of(imported).text_prompts.at(0)[0].text, "a painting: of a ship, oil: thick");
  EXPECT_THROW(import_parameters(" \n "), RequestError);
}

TEST(ImportParameters, StrangeTextsAreNoTrouble) {
  for (const std::string text :
       {",,,,", "a:b", "\"", "Steps: \"1, Seed: 2, Size: x, Foo: \\", ":", "ab: \"x\\\"y\", cd: 2, ef: 3"}) {
    EXPECT_NO_THROW(import_parameters(text)) << text;
  }
  const ImportedSettings imported = import_parameters("p\nab: \"x, \\\"y\\\": z\", cd: 2, Seed: 9");
  EXPECT_EQ(settings_of(imported).seed, 9);
}

TEST(ImportPicture, OurPicturesGiveAllSettingsBack) {
  Settings settings = default_settings();
  settings.seed = 99;
  settings.text_prompts[0] = {Prompt{"ein Schloß", Schedule(2), {}, "ein Schloß:2"}};
  const std::string bytes =
      encode_picture(Picture(8, 8, 3), "png", {{"disco", to_json(settings).dump()}, {"parameters", example}});
  const ImportedSettings imported = import_picture(bytes, "castle.png");
  EXPECT_EQ(imported.source, "disco picture");
  EXPECT_EQ(settings_of(imported), settings);
}

TEST(ImportPicture, OtherPicturesGiveTheirParameters) {
  for (const char* format : {"png", "jpg", "webp"}) {
    const std::string bytes = encode_picture(Picture(8, 8, 3), format, {{"parameters", example}});
    EXPECT_EQ(settings_of(import_picture(bytes, "x")).seed, 4711) << format;
  }
}

TEST(ImportPicture, PicturesWithoutSettingsAndBrokenOnesAreErrors) {
  try {
    import_picture(encode_picture(Picture(8, 8, 3), "png"), "plain.png");
    FAIL() << "no error";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("plain.png"));
    EXPECT_THAT(error.what(), HasSubstr("carries no settings"));
  }
  const std::string list = encode_picture(Picture(8, 8, 3), "png", {{"disco", "[1]"}});
  EXPECT_THROW(import_picture(list, "list.png"), FormatError);
  const std::string broken = encode_picture(Picture(8, 8, 3), "png", {{"disco", "{\"steps\": "}});
  EXPECT_THROW(import_picture(broken, "broken.png"), Error);
}

TEST(ImportPicture, FilesAreRecognisedByTheirContent) {
  const fs::path path = fs::path(testing::TempDir()) / "picture_without_extension";
  write_file(path, encode_picture(Picture(8, 8, 3), "png", {{"parameters", example}}));
  EXPECT_EQ(settings_of(import_settings(path)).seed, 4711);
  fs::remove(path);
}

}  // namespace
}  // namespace disco

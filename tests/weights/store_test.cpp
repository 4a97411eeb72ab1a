#include "models/store.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "models/weights/state_dict.h"
#include "weights/make_files.h"

namespace disco {
namespace {

const StateDict diffusion = {{"input_blocks.0.0.weight", at::ones({4, 3, 3, 3})},
                             {"time_embed.0.weight", at::ones({4})},
                             {"out.2.weight", at::ones({4})}};
const StateDict secondary = {{"timestep_embed.weight", at::ones({8, 1})}, {"net.0.0.weight", at::ones({4})}};
const StateDict clip = {{"visual.conv1.weight", at::ones({4})}, {"token_embedding.weight", at::ones({4})}};

void describe(const fs::path& folder, const std::string& name, const std::string& role, const StateDict& tensors,
              const nlohmann::json& more = {}) {
  const std::string spelling = file_spelling(name);
  save_safetensors(folder / (spelling + ".safetensors"), tensors);
  nlohmann::json json = {
      {"name", name}, {"role", role}, {"file", spelling + ".safetensors"}, {"config", {{"for", name}}}};
  if (more.is_object()) json.update(more);
  write_file(folder / (spelling + ".model.json"), json.dump());
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const RequestError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

bool mentions(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

TEST(Catalog, NamesAreUnderstood) {
  ASSERT_NE(find_in_catalog("ViT-B/32"), nullptr);
  const CatalogEntry& vit = *find_in_catalog("ViT-B/32");
  EXPECT_EQ(vit.config["activation"], "quick_gelu");
  for (const char* name : {"ViTB32", "ViT-B-32", "vit-b-32", "ViT-B-32.pt"})
    EXPECT_EQ(find_in_catalog(name), &vit) << name;
  EXPECT_EQ(find_in_catalog("ViTL14_336px"), find_in_catalog("ViT-L-14-336px"));
  EXPECT_EQ(find_in_catalog("ViT-B-32::laion2b_e16"), find_in_catalog("ViT-B-32-laion2b_e16"));
  EXPECT_EQ(find_in_catalog("nothing"), nullptr);
  EXPECT_EQ(find_in_catalog(""), nullptr);
}

TEST(Catalog, FileNamesAndHashes) {
  EXPECT_EQ(file_name(*find_in_catalog("portrait_generator_v001")), "portrait_generator_v001_ema_0.9999_1MM.pt");
  EXPECT_EQ(expected_hash(*find_in_catalog("ViT-B-32::laion2b_e16")), "af8dbd0c");
  EXPECT_EQ(expected_hash(*find_in_catalog("RN50")).size(), 64u);
  EXPECT_EQ(expected_hash(*find_in_catalog("vgg16")), "397923af");
  EXPECT_EQ(expected_hash(*find_in_catalog("RealESRGAN_x4plus")), "");
}

TEST(Catalog, EveryNameHasAFileSpellingOfItsOwn) {
  std::set<std::string> spellings;
  for (const CatalogEntry& entry : catalog()) {
    EXPECT_TRUE(spellings.insert(file_spelling(entry.name)).second) << entry.name;
    EXPECT_EQ(find_in_catalog(file_spelling(entry.name)), &entry) << entry.name;
    EXPECT_FALSE(entry.urls.empty()) << entry.name;
  }
  EXPECT_EQ(file_spelling("ViT-L/14@336px"), "ViT-L-14-336px");
  EXPECT_EQ(file_spelling("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(file_spelling("..."), "model");
}

TEST(Catalog, ADamagedOneIsExplained) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(read_catalog(testing::write_to(folder, "c.json", "[{\"name\": 3}]")), FormatError);
  EXPECT_THROW(read_catalog(testing::write_to(folder, "c.json", "[")), FormatError);
}

TEST(Store, DescribedModelsAreFoundByEverySpelling) {
  const testing::TemporaryFolder folder;
  describe(folder.path(), "ref-adm256", "diffusion", diffusion);
  describe(folder / "below/deeper", "ViT-B/32", "clip", clip);
  const ModelStore store({folder.path()});
  ASSERT_EQ(store.list().size(), 2u);
  const auto found = store.find("ref-adm256", "diffusion");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->config["for"], "ref-adm256");
  EXPECT_EQ(load_weights(found->weights).size(), diffusion.size());
  for (const char* name : {"ViT-B/32", "ViT-B-32", "ViTB32", "vit-b-32"}) EXPECT_TRUE(store.find(name, "clip")) << name;
  EXPECT_FALSE(store.find("ref-adm256", "clip"));
  EXPECT_TRUE(store.find("ref-adm256", ""));
  EXPECT_EQ(store.find("", "clip")->name, "ViT-B/32");
}

TEST(Store, EarlierFoldersWin) {
  const testing::TemporaryFolder folder;
  describe(folder / "a", "m", "secondary", secondary, {{"config", {{"from", "a"}}}});
  describe(folder / "b", "m", "secondary", secondary, {{"config", {{"from", "b"}}}});
  EXPECT_EQ(ModelStore({folder / "a", folder / "b"}).find("m", "secondary")->config["from"], "a");
  EXPECT_EQ(ModelStore({folder / "b", folder / "a"}).find("m", "secondary")->config["from"], "b");
  EXPECT_EQ(ModelStore({folder / "a", folder / "b"}).list().size(), 1u);
  EXPECT_TRUE(ModelStore({folder / "missing"}).list().empty());
}

TEST(Store, FilesWithoutDescriptionAreRecognised) {
  const testing::TemporaryFolder folder;
  save_safetensors(folder / "my_finetune.safetensors", diffusion);
  save_safetensors(folder / "tiny-quickgelu.safetensors", clip);
  save_safetensors(folder / "other-clip.safetensors", clip);
  save_safetensors(folder / "something.safetensors", {{"a", at::ones({2})}});
  write_file(folder / "damaged.pt", "PK\x03\x04");
  write_file(folder / "notes.txt", "hello");
  const ModelStore store({folder.path()});
  EXPECT_EQ(store.list().size(), 3u);
  EXPECT_EQ(store.require("my_finetune", "diffusion").weights, folder / "my_finetune.safetensors");
  EXPECT_EQ(store.require("tiny-quickgelu", "clip").config["activation"], "quick_gelu");
  EXPECT_EQ(store.require("other-clip", "clip").config["activation"], "gelu");
  // Recognition follows the file.
  save_safetensors(folder / "other-clip.safetensors", diffusion);
  EXPECT_TRUE(store.find("other-clip", "diffusion"));
}

TEST(Store, CataloguedFilesAreRecognisedByName) {
  const testing::TemporaryFolder folder;
  save_safetensors(folder / "pixelartdiffusion4k.pt", diffusion);
  save_safetensors(folder / "vit_b_32-quickgelu-laion400m_e31-d867053b.pt", clip);
  save_safetensors(folder / "ViT-L-14-336px.pt", clip);
  write_file(folder / "bpe_simple_vocab_16e6.txt.gz", "x");
  const ModelStore store({folder.path()});
  EXPECT_EQ(store.require("pixelartdiffusion4k", "diffusion").config["num_channels"], 128);
  EXPECT_EQ(store.require("ViT-L/14@336px", "clip").config["activation"], "quick_gelu");
  // One file, two models with another activation each.
  EXPECT_EQ(store.require("ViT-B-32::laion400m_e31", "clip").config["activation"], "gelu");
  EXPECT_EQ(store.require("ViT-B-32::laion400m_e31::quickgelu", "clip").config["activation"], "quick_gelu");
  EXPECT_EQ(store.require("bpe_simple_vocab_16e6", "tokenizer").weights.filename(), "bpe_simple_vocab_16e6.txt.gz");
}

TEST(Store, HuggingFaceCachesAreReadInPlace) {
  const testing::TemporaryFolder folder;
  const fs::path repository = folder / "hub/models--KaliYuga--pixelartdiffusion4k";
  save_safetensors(repository / "blobs" / "abc.safetensors", diffusion);
  fs::create_directories(repository / "snapshots" / "111");
  fs::create_directories(repository / "snapshots" / "000");
  fs::create_symlink("../../blobs/abc.safetensors", repository / "snapshots" / "111" / "pixelartdiffusion4k.pt");
  fs::create_symlink("../../blobs/abc.safetensors", repository / "snapshots" / "000" / "old.safetensors");
  write_file(repository / "refs" / "main", "111");
  const fs::path other = folder / "hub/models--laion--CLIP-ViT-B-32-laion2B";
  save_safetensors(other / "snapshots" / "222" / "open_clip_model.safetensors", clip);
  const ModelStore store({folder.path()});
  EXPECT_EQ(store.list().size(), 2u);
  EXPECT_TRUE(store.find("pixelartdiffusion4k", "diffusion"));
  EXPECT_TRUE(store.find("laion/CLIP-ViT-B-32-laion2B", "clip"));
}

TEST(Store, LinkedFoldersAreFollowedOnce) {
  const testing::TemporaryFolder folder;
  describe(folder / "elsewhere", "m", "secondary", secondary);
  fs::create_directories(folder / "models");
  fs::create_directory_symlink(folder / "elsewhere", folder / "models/linked");
  fs::create_directory_symlink(folder / "models", folder / "models/circle");
  const ModelStore store({folder / "models"});
  EXPECT_EQ(store.list().size(), 1u);
  EXPECT_EQ(store.verify().size(), 1u);
  EXPECT_EQ(store.require("m", "secondary").weights, folder / "models/linked/m.safetensors");
}

TEST(Store, MissingModelsAreExplained) {
  const testing::TemporaryFolder folder;
  describe(folder.path(), "my-own-model", "diffusion", diffusion);
  describe(folder.path(), "gone", "diffusion", diffusion);
  fs::remove(folder / "gone.safetensors");
  const ModelStore store({folder.path()});
  const auto reason = [&](const std::string& name, const std::string& role) {
    return refusal([&] { store.require(name, role); });
  };
  EXPECT_TRUE(mentions(reason("ViTB32", "clip"), "disco models pull ViT-B/32"));
  EXPECT_TRUE(mentions(reason("ViTB32", "clip"), "\"gone\" cannot be used"));
  EXPECT_TRUE(mentions(reason("RN50::yfcc15m", "clip"), "disco models pull RN50::yfcc15m"));
  EXPECT_TRUE(mentions(reason("my-own-modle", "diffusion"), "did you mean \"my-own-model\"?"));
  EXPECT_TRUE(mentions(reason("ViTB33", "clip"), "disco models pull ViT-B/32"));
  EXPECT_TRUE(mentions(reason("my-own-model", "clip"), "a diffusion model, not a clip model"));
  EXPECT_TRUE(mentions(reason("gone", "diffusion"), "is missing"));
  EXPECT_TRUE(mentions(reason("zzzzzzzzzzzzzzzzzzzz", "diffusion"), "here are: my-own-model"));
  EXPECT_TRUE(mentions(reason("", "lpips"), "disco models add"));
  EXPECT_TRUE(mentions(reason("vgg16", "lpips"), "disco models pull vgg16"));
  EXPECT_TRUE(mentions(reason("pocket-judge", "judge"), "disco train judge"));
}

TEST(Store, DefaultFoldersEndWithTheProgramsOwn) {
  ::unsetenv("DISCO_MODELS");
  EXPECT_EQ(ModelStore::default_folders("/x"), (std::vector<fs::path>{"/x", program_root() / "models"}));
  EXPECT_EQ(ModelStore::default_folders(),
            (std::vector<fs::path>{user_data_folder() / "models", program_root() / "models"}));
  ::setenv("DISCO_MODELS", "/y", 1);
  EXPECT_EQ(ModelStore::default_folders().front(), "/y");
  EXPECT_EQ(ModelStore::default_folders("/x").front(), "/x");
  ::unsetenv("DISCO_MODELS");
}

TEST(StoreAdd, ARecognisedFileIsLinkedAndDescribed) {
  const testing::TemporaryFolder folder;
  save_safetensors(folder / "outside/mine.safetensors", secondary);
  ModelStore store({folder / "models"});
  const ModelEntry added = store.add(folder / "outside/mine.safetensors");
  EXPECT_EQ(added.name, "mine");
  EXPECT_EQ(added.role, "secondary");
  EXPECT_EQ(added.weights, folder / "models/mine.safetensors");
  EXPECT_EQ(added.sha256, sha256_file(added.weights));
  EXPECT_EQ(fs::hard_link_count(added.weights), 2u);
  EXPECT_EQ(store.require("mine", "secondary").sha256, added.sha256);
  // Again, and from the folder itself: nothing changes.
  store.add(folder / "outside/mine.safetensors");
  store.add(added.weights);
  EXPECT_EQ(store.list().size(), 1u);
  const ModelEntry named = store.add(folder / "outside/mine.safetensors", "other/name");
  EXPECT_EQ(named.weights.filename(), "other-name.safetensors");
  EXPECT_EQ(store.require("other/name", "secondary").name, "other/name");
  for (const auto& file : fs::directory_iterator(folder / "models"))
    EXPECT_NE(file.path().filename().string()[0], '.') << file;
}

TEST(StoreAdd, WhatIsNoModelIsRefused) {
  const testing::TemporaryFolder folder;
  ModelStore store({folder / "models"});
  save_safetensors(folder / "x.safetensors", {{"a", at::ones({2})}});
  EXPECT_TRUE(mentions(refusal([&] { store.add(folder / "x.safetensors"); }), "not those of a model"));
  EXPECT_TRUE(mentions(refusal([&] { store.add(folder / "missing"); }), "no such file"));
  write_file(folder / "y.pt", "hello");
  EXPECT_THROW(store.add(folder / "y.pt"), FormatError);
  EXPECT_FALSE(fs::exists(folder / "models"));
}

TEST(StoreAdd, NamesAreNotTakenAway) {
  const testing::TemporaryFolder folder;
  ModelStore store({folder / "models"});
  save_safetensors(folder / "a/m.safetensors", secondary);
  save_safetensors(folder / "b/m.safetensors",
                   {{"timestep_embed.weight", at::zeros({8, 1})}, {"net.0.0.weight", at::ones({4})}});
  store.add(folder / "a/m.safetensors");
  EXPECT_TRUE(mentions(refusal([&] { store.add(folder / "b/m.safetensors"); }), "already another model"));
  EXPECT_EQ(store.require("m", "secondary").sha256, sha256_file(folder / "a/m.safetensors"));
  store.add(folder / "b/m.safetensors", "m2");
  EXPECT_EQ(store.list().size(), 2u);
}

TEST(StoreAdd, ABrokenCataloguedFileIsRefused) {
  const testing::TemporaryFolder folder;
  ModelStore store({folder / "models"});
  save_safetensors(folder / "secondary_model_imagenet_2.pth", secondary);
  const std::string reason = refusal([&] { store.add(folder / "secondary_model_imagenet_2.pth"); });
  EXPECT_TRUE(mentions(reason, "983e3de6")) << reason;
  EXPECT_EQ(store.add(folder / "secondary_model_imagenet_2.pth", "mine").role, "secondary");
}

TEST(StoreAdd, LpipsIsPutTogetherFromItsHalves) {
  const testing::TemporaryFolder folder;
  StateDict backbone = {{"classifier.0.weight", at::ones({2})}}, heads;
  float number = 0;
  for (const int layer : {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28}) {
    for (const char* part : {"weight", "bias"})
      backbone["features." + std::to_string(layer) + "." + part] = at::full({2}, ++number);
  }
  for (int head = 0; head < 5; ++head)
    heads["lin" + std::to_string(head) + ".model.1.weight"] = at::full({1, 2, 1, 1}, 100 + head);
  save_safetensors(folder / "backbone.safetensors", backbone);
  save_safetensors(folder / "vgg.safetensors", heads);
  ModelStore store({folder / "models"});
  EXPECT_EQ(store.add(folder / "backbone.safetensors").role, "lpips-backbone");
  const ModelEntry lpips = store.add(folder / "vgg.safetensors");
  EXPECT_EQ(lpips.role, "lpips");
  EXPECT_EQ(store.require("vgg16", "lpips").weights, lpips.weights);
  const StateDict tensors = load_weights(lpips.weights);
  EXPECT_EQ(tensors.size(), 26u + 5u + 2u);
  EXPECT_EQ(tensors.at("net.slice1.2.bias")[0].item<float>(), 4.f);
  EXPECT_EQ(tensors.at("net.slice2.5.weight")[0].item<float>(), 5.f);
  EXPECT_EQ(tensors.at("net.slice5.28.bias")[0].item<float>(), 26.f);
  EXPECT_EQ(tensors.at("lin4.model.1.weight").flatten()[0].item<float>(), 104.f);
  EXPECT_THROW(store.add_lpips(folder / "vgg.safetensors", folder / "backbone.safetensors"), RequestError);
}

TEST(StoreRemove, TheDescriptionAndTheWeightsGo) {
  const testing::TemporaryFolder folder;
  describe(folder / "own", "m", "secondary", secondary);
  describe(folder / "own", "twin", "secondary", secondary, {{"file", "m.safetensors"}});
  describe(folder / "program", "theirs", "secondary", secondary);
  fs::remove(folder / "own/twin.safetensors");
  ModelStore store({folder / "own", folder / "program"});
  store.remove("m");
  EXPECT_FALSE(store.find("m", "secondary"));
  EXPECT_TRUE(fs::exists(folder / "own/m.safetensors")) << "another model uses it";
  store.remove("twin");
  EXPECT_FALSE(fs::exists(folder / "own/m.safetensors"));
  EXPECT_TRUE(mentions(refusal([&] { store.remove("theirs"); }), "does not lie"));
  EXPECT_TRUE(store.find("theirs", "secondary"));
  EXPECT_TRUE(mentions(refusal([&] { store.remove("thiers"); }), "theirs"));
  save_safetensors(folder / "own/dropped.safetensors", secondary);
  store.remove("dropped");
  EXPECT_FALSE(fs::exists(folder / "own/dropped.safetensors"));
}

TEST(StoreRemove, FilesOutsideOfTheFolderStay) {
  const testing::TemporaryFolder folder;
  save_safetensors(folder / "elsewhere.safetensors", secondary);
  describe(folder / "own", "m", "secondary", secondary, {{"file", "../elsewhere.safetensors"}});
  ModelStore({folder / "own"}).remove("m");
  EXPECT_TRUE(fs::exists(folder / "elsewhere.safetensors"));
}

TEST(StoreVerify, EveryModelIsJudged) {
  const testing::TemporaryFolder folder;
  save_safetensors(folder / "good.safetensors", secondary);
  ModelStore store({folder / "models"});
  const std::string hash = store.add(folder / "good.safetensors").sha256;
  describe(folder / "models", "changed", "secondary", secondary, {{"sha256", std::string(64, '0')}});
  describe(folder / "models", "unknown", "secondary", secondary);
  describe(folder / "models", "gone", "secondary", secondary);
  fs::remove(folder / "models/gone.safetensors");
  write_file(folder / "models/broken.model.json", "{");
  save_safetensors(folder / "models/secondary_model_imagenet_2.pth", secondary);
  std::map<std::string, ModelStore::Verdict> verdicts;
  for (const auto& verdict : store.verify()) verdicts[verdict.model.name] = verdict;
  EXPECT_TRUE(verdicts.at("good").good);
  EXPECT_FALSE(verdicts.at("changed").good);
  EXPECT_TRUE(mentions(verdicts.at("changed").message, hash));
  EXPECT_TRUE(verdicts.at("unknown").good);
  EXPECT_FALSE(verdicts.at("gone").good);
  EXPECT_FALSE(verdicts.at("broken").good);
  EXPECT_FALSE(verdicts.at("secondary_model_imagenet_2").good) << "the catalog's checksum counts";
  EXPECT_EQ(verdicts.size(), 6u);
}

}  // namespace
}  // namespace disco

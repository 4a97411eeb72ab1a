#include "run/outputs.h"

#include <ATen/ATen.h>

#include <set>

#include "settings/table.h"
#include "support.h"

namespace disco {
namespace {

TEST(Outputs, NamesAreThoseOf57) {
  const OutputNames names("out/TimeToDisco", "TimeToDisco", 3, "png");
  EXPECT_EQ(names.picture(0), "out/TimeToDisco/TimeToDisco(3)_0000.png");
  EXPECT_EQ(names.sidecar(12), "out/TimeToDisco/TimeToDisco(3)_0012.json");
  EXPECT_EQ(names.partial(0, "40%", false), "out/TimeToDisco/TimeToDisco(3)_0000-40%.png");
  EXPECT_EQ(names.partial(0, "40%", true), "out/TimeToDisco/partials/TimeToDisco(3)_0000-40%.png");
}

TEST(Outputs, TheNextNumberIsFree) {
  const TemporaryFolder folder;
  EXPECT_EQ(next_run_number(folder.path(), "a"), 0);
  EXPECT_EQ(next_run_number(folder.path() / "missing", "a"), 0);
  for (const char* name :
       {"a(0)_0000.png", "a(7)_0000.ckpt", "a(x)_0000.png", "ab(9)_0000.png", "a()_1.png", "a(99999999999)_0.png"}) {
    write_file(folder.path() / name, "");
  }
  EXPECT_EQ(next_run_number(folder.path(), "a"), 8);
}

TEST(Outputs, BatchNamesBecomeFileNames) {
  EXPECT_EQ(file_name("../../etc/passwd"), ".._.._etc_passwd");
  EXPECT_EQ(file_name(""), "disco");
  EXPECT_EQ(file_name(".."), "disco");
  EXPECT_EQ(file_name("Leuchtturm über See"), "Leuchtturm über See");
}

TEST(Outputs, PartialPicturesByCountStepAndShare) {
  const auto kept = [](const IntermediateSaves& saves, int steps) {
    std::vector<int> done;
    for (int k = 1; k <= steps; ++k) {
      if (partial_label(saves, k, steps)) done.push_back(k);
    }
    return done;
  };
  EXPECT_EQ(kept({.count = 4, .steps = {}, .shares = {}}, 100), (std::vector<int>{20, 40, 60, 80}));
  EXPECT_EQ(kept({.count = 0, .steps = {3, 50}, .shares = {}}, 10), (std::vector<int>{3}));
  EXPECT_EQ(kept({.count = 0, .steps = {}, .shares = {0.25, 1}}, 8), (std::vector<int>{2}));
}

TEST(Outputs, NoPartialPictureTakesAnothersName) {
  const IntermediateSaves named{.count = 0, .steps = {3, 4, 120}, .shares = {}};
  EXPECT_EQ(partial_label(named, 3, 250), "003");
  EXPECT_EQ(partial_label(named, 4, 250), "004");
  EXPECT_EQ(partial_label(named, 120, 250), "120");
  EXPECT_EQ(partial_label({.count = 3, .steps = {}, .shares = {}}, 4, 15), "27%") << "rounded up, as 5.7 does";
  for (const int count : {1, 7, 100, 249}) {
    std::set<std::string> labels;
    int saves = 0;
    for (int done = 1; done < 250; ++done) {
      const auto label = partial_label({.count = count, .steps = {10, 11}, .shares = {0.5}}, done, 250);
      saves += label.has_value();
      if (label) labels.insert(*label);
    }
    EXPECT_EQ(static_cast<int>(labels.size()), saves) << count;
  }
}

TEST(Outputs, APictureCarriesTheSettingsThatDrawItAlone) {
  Settings settings = quick_settings({{"n_batches", 4}}).settings;
  const PictureText texts = picture_texts(settings, 9, {{"ref-adm256", std::string(64, 'a')}});
  const auto carried = nlohmann::json::parse(texts.at("disco"));
  EXPECT_EQ(carried["seed"], 9);
  EXPECT_EQ(carried["n_batches"], 1);
  EXPECT_NE(texts.at("parameters").find("Seed: 9"), std::string::npos);
  EXPECT_NE(texts.at("parameters").find("Model hash: aaaaaaaaaa,"), std::string::npos);
  settings.compat = "disco-5.7";
  EXPECT_EQ(nlohmann::json::parse(picture_texts(settings, 7, {}).at("disco"))["n_batches"], 4);
}

TEST(Outputs, ARunLeavesPicturesSidecarsAndPartials) {
  const TemporaryFolder out;
  Recorder listener;
  make_engine()->run(request_in(out.path(), quick_settings({{"n_batches", 2}, {"intermediate_saves", 2}})), listener);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(out.path())) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), out.path()));
  }
  std::sort(files.begin(), files.end());
  const std::string partials = quick_settings().settings.intermediates_in_subfolder ? "quick/partials/" : "quick/";
  std::vector<std::string> expected = {"quick/quick(0)_0000.json", "quick/quick(0)_0000.png",
                                       "quick/quick(0)_0001.json", "quick/quick(0)_0001.png"};
  for (const char* name : {"0000-34%", "0000-67%", "0001-34%", "0001-67%"}) {
    expected.push_back(partials + "quick(0)_" + name + ".png");
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(files, expected);
  const auto sidecar = nlohmann::json::parse(read_file(out.path() / "quick/quick(0)_0001.json"));
  EXPECT_EQ(sidecar["seed"], 8);
  EXPECT_EQ(sidecar["losses"].size(), 6u);
  EXPECT_EQ(sidecar["step_seconds"].size(), 6u);
  EXPECT_GT(sidecar["peak_memory"].get<double>(), 1e8);
  EXPECT_EQ(sidecar["models"]["ref-vit32"].get<std::string>().size(), 64u);
}

}  // namespace
}  // namespace disco

// The order of the rooms: a lower room never includes a higher one, and the rooms without torch never include torch.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/text.h"

namespace disco {
namespace {

/// What each room may include besides itself.
const std::map<std::string, std::set<std::string>> allowed = {
    {"core", {}},
    {"picture", {"core"}},
    {"settings", {"core", "picture"}},
    {"tensor", {"core", "picture"}},
    {"kernels", {"core"}},
    {"cuda", {"core", "picture", "tensor", "kernels"}},
    {"models", {"core", "picture", "tensor", "kernels"}},
    {"diffusion", {"core", "picture", "tensor", "kernels", "models"}},
    {"guidance", {"core", "picture", "settings", "tensor", "kernels", "models", "diffusion"}},
    {"sampler", {"core", "diffusion"}},
    {"run", {"core", "picture", "settings", "tensor", "kernels", "models", "diffusion", "guidance", "sampler"}},
    {"train",
     {"core", "picture", "settings", "tensor", "kernels", "models", "diffusion", "guidance", "sampler", "run"}},
    {"bench",
     {"core", "picture", "settings", "tensor", "kernels", "models", "diffusion", "guidance", "sampler", "run",
      "train"}},
    {"cli", {"core", "picture", "settings", "models", "run", "train", "bench"}},
};

const std::set<std::string> without_torch = {"core", "picture", "settings", "cli"};

std::vector<std::string> violations(const std::string& room, const std::string& file, const std::string& source) {
  static const std::regex include(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re", std::regex::multiline);
  std::vector<std::string> found;
  for (auto it = std::sregex_iterator(source.begin(), source.end(), include); it != std::sregex_iterator(); ++it) {
    const std::string header = (*it)[2];
    const std::string first = header.substr(0, header.find('/'));
    if ((*it)[1] == "\"" && allowed.contains(first) && first != room && !allowed.at(room).contains(first)) {
      found.push_back(file + " includes " + header + ": " + room + " may not include " + first);
    }
    if (without_torch.contains(room) && (first == "ATen" || first == "torch" || first == "c10")) {
      found.push_back(file + " includes " + header + ": " + room + " is a room without torch");
    }
  }
  return found;
}

TEST(Rooms, LowerRoomsNeverIncludeHigherOnes) {
  const fs::path source = fs::path(DISCO_SOURCE_DIR) / "src";
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh") continue;
    const fs::path relative = fs::relative(entry.path(), source);
    const std::string room = relative.begin()->string();
    ASSERT_TRUE(allowed.contains(room)) << relative << " lies in a room that this test does not know";
    for (const std::string& violation : violations(room, relative.string(), read_file(entry.path()))) {
      ADD_FAILURE() << violation;
    }
    ++files;
  }
  EXPECT_GT(files, 10u);
}

TEST(Rooms, AViolationIsFound) {
  EXPECT_EQ(violations("sampler", "x.cpp", "#include \"guidance/guidance.h\"\n").size(), 1u);
  EXPECT_EQ(violations("core", "x.cpp", "#include <ATen/ATen.h>\n").size(), 1u);
  EXPECT_TRUE(violations("run", "x.cpp", "#include \"sampler/sampler.h\"\n#include <ATen/ATen.h>\n").empty());
}

}  // namespace
}  // namespace disco

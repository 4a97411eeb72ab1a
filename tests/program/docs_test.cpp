// The documentation against the program: links lead somewhere, and the flags and verbs that it names exist.
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "program/support.h"

namespace disco::program {
namespace {

std::vector<fs::path> pages() {
  std::vector<fs::path> found = {source_folder() / "README.md", source_folder() / "CHANGELOG.md"};
  for (const auto& entry : fs::directory_iterator(source_folder() / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

std::set<std::string> matches(const std::string& text, const char* pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (auto it = std::sregex_iterator(text.begin(), text.end(), regex); it != std::sregex_iterator(); ++it)
    found.insert((*it)[1]);
  return found;
}

TEST(Docs, LinksLeadSomewhere) {
  for (const fs::path& page : pages()) {
    for (const std::string& link : matches(read_file(page), R"(\]\(([^)#]+)[^)]*\))")) {
      if (link.starts_with("http")) continue;
      EXPECT_TRUE(fs::exists(page.parent_path() / link)) << page << " links to " << link;
    }
  }
}

TEST(Docs, FoldersAndFilesThatAreNamedExist) {
  for (const fs::path& page : pages()) {
    for (const std::string& path : matches(read_file(page), R"(`((?:src|tests|docs|data|fuzz|tools)/[\w/.-]+)`)")) {
      if (path.find("NAME") != std::string::npos) continue;  // Stands for a name of the reader's.
      EXPECT_TRUE(fs::exists(source_folder() / path)) << page << " names " << path;
    }
  }
}

TEST_F(NoEngineTest, FlagsAndVerbsInTheReadmeExist) {
  const std::string readme = read_file(source_folder() / "README.md");
  std::string help;
  for (const char* verb : {"run", "draft", "resume", "models", "explain", "import", "doctor"})
    help += place.run({verb, "--help"}).out;
  for (const std::string& flag : matches(readme, R"((--[a-z][a-z-]+))")) {
    EXPECT_TRUE(help.find(flag + " ") != std::string::npos ||
                help.find("--[no-]" + flag.substr(2)) != std::string::npos)
        << flag;
  }
  const std::string short_help = place.run({"--help"}).out;
  for (const std::string& verb : matches(readme, R"(disco ([a-z]+)\b)")) {
    EXPECT_THAT(short_help, ::testing::HasSubstr("\n  " + verb + " "));
  }
}

}  // namespace
}  // namespace disco::program

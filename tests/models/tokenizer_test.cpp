// The tokenizer against the original's ids: the golden texts, and hard cases of the text's repair
// (tokenizer_cases.json, made with ftfy 6.1.1, Python's html module and the original's pattern).
#include "models/tokenizer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "models/text/repair.h"
#include "models/text/unicode.h"

namespace disco {
namespace {

fs::path vocabulary() { return Tokenizer::find_vocabulary({}); }

const Tokenizer& tokenizer() {
  static const Tokenizer instance(vocabulary());
  return instance;
}

nlohmann::json cases(const std::string& path) {
  return nlohmann::json::parse(read_file(fs::path(DISCO_SOURCE_DIR) / "tests" / path));
}

std::string cleaned(std::string_view text) { return to_utf8(clean_prompt(text)); }

TEST(Tokenizer, MatchesTheOriginal) {
  for (const nlohmann::json& entry : cases("golden/tokens.json")) {
    const std::string text = entry["text"];
    EXPECT_EQ(tokenizer().encode(text), entry["tokens"].get<std::vector<std::int64_t>>()) << text;
  }
}

TEST(Tokenizer, RepairsTextAsTheOriginal) {
  const nlohmann::json entries = cases("models/tokenizer_cases.json");
  EXPECT_GT(entries.size(), 100u);
  for (const nlohmann::json& entry : entries) {
    const std::string text = entry["text"];
    EXPECT_EQ(cleaned(text), entry["cleaned"].get<std::string>()) << text;
    EXPECT_EQ(tokenizer().encode(text), entry["tokens"].get<std::vector<std::int64_t>>()) << text;
  }
}

TEST(Tokenizer, TakesInvalidUtf8) {
  EXPECT_EQ(tokenizer().encode("a \xFF\xC3 b"), tokenizer().encode("a \uFFFD\uFFFD b"));
}

TEST(Tokenizer, ContextsAreStartTextEndAndZeros) {
  const Tokenizer::Context context = tokenizer().context("a lighthouse", 6);
  EXPECT_EQ(context.ids, (std::vector<std::int64_t>{49406, 320, 13717, 49407, 0, 0}));
  EXPECT_EQ(context.lost, "");
  EXPECT_EQ(tokenizer().context("").ids.size(), 77u);
}

TEST(Tokenizer, ContextsNameTheWordsThatDidNotFit) {
  const Tokenizer::Context context = tokenizer().context("One two, Three four", 5);
  EXPECT_EQ(context.ids.size(), 5u);
  EXPECT_EQ(context.ids.back(), tokenizer().end_token());
  EXPECT_EQ(context.lost, "three four");
  // A word of which only a part fits is named whole.
  const Tokenizer::Context cut = tokenizer().context("a rutkowskiesque", 4);
  EXPECT_EQ(cut.lost, "rutkowskiesque");
  EXPECT_EQ(cut.ids[2], tokenizer().encode("rutkowskiesque").at(0));

  std::string long_text;
  for (int i = 0; i < 75; ++i) long_text += "a ";
  EXPECT_EQ(tokenizer().context(long_text).lost, "");
  EXPECT_EQ(tokenizer().context(long_text + "b").lost, "b");
}

TEST(Tokenizer, TokensHaveTexts) {
  EXPECT_EQ(tokenizer().word(320), "a ");
  EXPECT_EQ(tokenizer().word(13717), "lighthouse ");
  EXPECT_EQ(tokenizer().word(tokenizer().start_token()), "<|startoftext|>");
  EXPECT_EQ(tokenizer().word(49408), "");
  EXPECT_EQ(tokenizer().word(-1), "");
  std::string text;
  for (const std::int64_t id : tokenizer().encode("日本語")) text += tokenizer().word(id);
  EXPECT_EQ(text, "日本語 ");
}

TEST(Tokenizer, WordsAreNamedWholeAndOnce) {
  const std::vector<std::int64_t> parts = tokenizer().encode("quokka");
  ASSERT_GT(parts.size(), 1u);
  const auto found =
      tokenizer().words("A quokka, a cat and a QUOKKA.", [&](std::int64_t id) { return id == parts[1]; });
  EXPECT_EQ(found, std::vector<std::string>{"quokka"});
}

TEST(Tokenizer, SeveralThreadsMayUseIt) {
  const Tokenizer fresh(vocabulary());
  const std::string text = "a beautiful painting of a singular lighthouse";
  const auto expected = tokenizer().encode(text);
  std::vector<std::vector<std::int64_t>> found(4);
  std::vector<std::thread> threads;
  for (auto& ids : found) threads.emplace_back([&] { ids = fresh.encode(text); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& ids : found) EXPECT_EQ(ids, expected);
}

TEST(Tokenizer, FindsTheVocabularyBesideTheModels) {
  const fs::path folder = fs::path(testing::TempDir()) / "disco-vocabulary";
  fs::remove_all(folder);
  fs::create_directories(folder / "deeper");
  EXPECT_EQ(Tokenizer::find_vocabulary({folder}).filename(), "bpe_simple_vocab_16e6.txt.gz");
  write_file(folder / "deeper" / "words.gz", "");
  write_file(folder / "words.model.json", R"({"name": "words", "role": "tokenizer", "file": "deeper/words.gz"})");
  EXPECT_EQ(Tokenizer::find_vocabulary({folder}), folder / "deeper" / "words.gz");
  fs::remove_all(folder);
}

TEST(Tokenizer, RefusesDamagedVocabularies) {
  const fs::path file = fs::path(testing::TempDir()) / "disco-bad-vocabulary.txt";
  write_file(file, "#version\ni n\nt h\n");
  EXPECT_THROW(Tokenizer{file}, FormatError);
  std::string bytes = read_file(vocabulary());
  write_file(file, bytes.substr(0, bytes.size() / 16));
  EXPECT_THROW(Tokenizer{file}, FormatError);
  std::string unknown = "#version\n";
  for (int i = 0; i < 48894; ++i) unknown += "qq zz\n";
  write_file(file, unknown);
  EXPECT_THROW(Tokenizer{file}, FormatError);
  fs::remove(file);
  EXPECT_THROW(Tokenizer{file}, Error);
}

}  // namespace
}  // namespace disco

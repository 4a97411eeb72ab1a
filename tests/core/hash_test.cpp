#include "core/hash.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "core/error.h"
#include "core/file.h"

namespace disco {
namespace {

TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

class Sha256File : public ::testing::Test {
 protected:
  Sha256File() { write_file(path_, bytes_); }
  ~Sha256File() override { fs::remove(path_); }

  fs::path path_ = fs::temp_directory_path() / ("disco-hash-test-" + std::to_string(::getpid()));
  std::string bytes_ = std::string((std::size_t{5} << 19) + 17, 'x');
};

TEST_F(Sha256File, IsTheHashOfTheBytes) { EXPECT_EQ(sha256_file(path_), sha256(bytes_)); }

TEST_F(Sha256File, TellsItsProgress) {
  std::vector<std::uint64_t> heard;
  EXPECT_EQ(sha256_file(path_, [&](std::uint64_t done) { return heard.push_back(done), true; }), sha256(bytes_));
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_LT(heard[0], heard[1]);
  EXPECT_EQ(heard.back(), bytes_.size());
}

TEST_F(Sha256File, CanBeCancelled) {
  int calls = 0;
  EXPECT_EQ(sha256_file(path_, [&](std::uint64_t) { return ++calls < 2; }), "");
  EXPECT_EQ(calls, 2);
}

TEST_F(Sha256File, NamesWhatItCannotRead) {
  for (const fs::path& path : {fs::path("/nowhere/at all"), fs::temp_directory_path()}) {
    try {
      (void)sha256_file(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), path.string());
    }
  }
}

TEST(Crc32, MatchesTheCheckValue) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(crc32(""), 0u);
}

TEST(Splitmix64, MatchesTheReferenceSequence) {
  // The first outputs of the generator seeded with 0 and with 1234567.
  EXPECT_EQ(splitmix64(0), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(splitmix64(0x9E3779B97F4A7C15u), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(splitmix64(1234567), 6457827717110365317u);
}

TEST(Splitmix64, GivesNearNumbersFarApart) {
  std::set<std::uint64_t> seen;
  int changed_bits = 0;
  for (std::uint64_t k = 0; k < 1000; ++k) {
    seen.insert(splitmix64(k));
    changed_bits += __builtin_popcountll(splitmix64(k) ^ splitmix64(k + 1));
  }
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_NEAR(changed_bits / 1000.0, 32, 1);
}

}  // namespace
}  // namespace disco

#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "core/error.h"

namespace disco {
namespace {

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~FileTest() override { fs::remove_all(folder_); }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_ = fs::temp_directory_path() / ("disco-core-test-" + std::to_string(::getpid()));
};

/// The error of a call, which has to name `path`.
template <class Call>
std::string error_naming(const fs::path& path, Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    return error.problem();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST_F(FileTest, BytesComeBack) {
  std::string bytes;
  for (int k = 0; k < 100000; ++k) bytes += static_cast<char>(k * 7);
  write_file(folder_ / "new" / "folders" / "a.bin", bytes);
  EXPECT_EQ(read_file(folder_ / "new" / "folders" / "a.bin"), bytes);
  write_file(folder_ / "empty", "");
  EXPECT_EQ(read_file(folder_ / "empty"), "");
}

TEST_F(FileTest, WritingReplacesWholeAndLeavesNothingElse) {
  const fs::path path = folder_ / "a.txt";
  write_file(path, "a long first version");
  write_file(path, "short");
  EXPECT_EQ(read_file(path), "short");
  EXPECT_EQ(entries(), 1u);
  EXPECT_EQ(fs::status(path).permissions() & fs::perms::all,
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read);
}

TEST_F(FileTest, ReadingRefusesWhatIsMissingTooLargeOrNoFile) {
  EXPECT_NE(error_naming(folder_ / "none", [&] { (void)read_file(folder_ / "none"); }).find("No such file"),
            std::string::npos);
  EXPECT_NE(error_naming(folder_, [&] { (void)read_file(folder_); }).find("not a regular file"), std::string::npos);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  error_naming(folder_ / "pipe", [&] { (void)read_file(folder_ / "pipe"); });
  write_file(folder_ / "ten", "0123456789");
  EXPECT_EQ(read_file(folder_ / "ten", 10).size(), 10u);
  EXPECT_THROW((void)read_file(folder_ / "ten", 9), FormatError);
  EXPECT_NE(error_naming(folder_ / "ten", [&] { (void)read_file(folder_ / "ten", 9); }).find("10 bytes"),
            std::string::npos);
}

TEST_F(FileTest, WritingIntoAFileAsIfItWereAFolderIsRefused) {
  write_file(folder_ / "file", "x");
  error_naming(folder_ / "file", [&] { write_file(folder_ / "file" / "below", "y"); });
  EXPECT_EQ(read_file(folder_ / "file"), "x");
}

TEST_F(FileTest, AnUncommittedFileLeavesTheOldOne) {
  const fs::path path = folder_ / "a.txt";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new, but ");
    EXPECT_EQ(file.temporary().parent_path(), folder_);
    EXPECT_TRUE(fs::exists(file.temporary()));
    EXPECT_EQ(read_file(path), "old");
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(FileTest, PiecesBecomeVisibleTogether) {
  AtomicFile file(folder_ / "a.txt");
  file.write("one ");
  file.write(std::string("two\0three", 9).data(), 9);
  EXPECT_FALSE(fs::exists(folder_ / "a.txt"));
  file.commit();
  EXPECT_EQ(read_file(folder_ / "a.txt"), std::string("one two\0three", 13));
}

TEST_F(FileTest, ALibraryMayReplaceTheTemporaryFile) {
  AtomicFile file(folder_ / "a.txt");
  fs::remove(file.temporary());
  std::ofstream(file.temporary()) << "written by its path";
  file.commit();
  EXPECT_EQ(read_file(folder_ / "a.txt"), "written by its path");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(FileTest, TwoWritersDoNotShareATemporaryFile) {
  AtomicFile one(folder_ / "a.txt"), two(folder_ / "a.txt");
  one.write("one");
  two.write("two!");
  two.commit();
  one.commit();
  EXPECT_EQ(read_file(folder_ / "a.txt"), "one");
}

TEST_F(FileTest, AMapShowsTheBytes) {
  write_file(folder_ / "a.bin", "mapped");
  const auto file = MappedFile::open(folder_ / "a.bin");
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()), "mapped");
  EXPECT_EQ(file->path(), folder_ / "a.bin");
  write_file(folder_ / "empty", "");
  EXPECT_TRUE(MappedFile::open(folder_ / "empty")->bytes().empty());
  // A file replaced while it is mapped keeps its old bytes there.
  write_file(folder_ / "a.bin", "other!");
  EXPECT_EQ(static_cast<char>(file->bytes()[0]), 'm');
}

TEST_F(FileTest, AMapOfNoFileIsRefused) {
  error_naming(folder_ / "none", [&] { (void)MappedFile::open(folder_ / "none"); });
  error_naming(folder_, [&] { (void)MappedFile::open(folder_); });
}

TEST_F(FileTest, ANewFileIsCreatedOnlyOnce) {
  EXPECT_TRUE(create_file(folder_ / "a.txt", "first"));
  EXPECT_FALSE(create_file(folder_ / "a.txt", "second"));
  EXPECT_EQ(read_file(folder_ / "a.txt"), "first");
  EXPECT_EQ(entries(), 1u);
}

/// An environment variable for a scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    if (value) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  }
  ~Variable() {
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(Folders, FollowTheXdgVariables) {
  const Variable home("HOME", "/home/someone");
  {
    const Variable data("XDG_DATA_HOME", "/data"), config("XDG_CONFIG_HOME", "/config");
    EXPECT_EQ(user_data_folder(), "/data/disco");
    EXPECT_EQ(user_config_folder(), "/config/disco");
  }
  const Variable data("XDG_DATA_HOME", ""), config("XDG_CONFIG_HOME", nullptr);
  EXPECT_EQ(user_data_folder(), "/home/someone/.local/share/disco");
  EXPECT_EQ(user_config_folder(), "/home/someone/.config/disco");
}

TEST(Folders, TheProgramFindsItsOwnFiles) {
  {
    const Variable root("DISCO_ROOT", nullptr);
    EXPECT_TRUE(fs::exists(program_root() / "data" / "catalog.json")) << program_root();
  }
  const Variable root("DISCO_ROOT", "/opt/disco");
  EXPECT_EQ(program_root(), "/opt/disco");
}

}  // namespace
}  // namespace disco

// A folder of images as a training's source.
#include "train/image_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "train/support.h"

namespace disco {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// One colour; the left third is black.
Picture plain(int width, int height, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Picture picture(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = width / 3; x < width; ++x) {
      picture.at(x, y, 0) = red;
      picture.at(x, y, 1) = green;
      picture.at(x, y, 2) = blue;
    }
  }
  return picture;
}

void write_images(const fs::path& folder) {
  write_picture(folder / "red_car-at-night 012.png", plain(40, 30, 255, 0, 0));
  write_picture(folder / "deep" / "er" / "b.jpg", plain(30, 64, 0, 255, 0));
  write_picture(folder / "deep" / "c.WEBP.webp", plain(20, 20, 0, 0, 255));
  write_file(folder / "deep" / "er" / "b.txt", "a green field\r\n\r\n  grass  \n");
}

TEST(Captions, AreReadInEveryEncoding) {
  EXPECT_THAT(caption_lines("caf\xC3\xA9\n"), ElementsAre("café"));
  EXPECT_THAT(caption_lines("\xEF\xBB\xBF"
                            "caf\xC3\xA9"),
              ElementsAre("café"));
  EXPECT_THAT(caption_lines("caf\xE9"), ElementsAre("café"));
  EXPECT_THAT(caption_lines(std::string("\xFF\xFE"
                                        "a\0\n\0\xE9\0",
                                        8)),
              ElementsAre("a", "é"));
  EXPECT_THAT(caption_lines(std::string("\xFE\xFF"
                                        "\0a\xD8\x3C\xDF\x1E",
                                        8)),
              ElementsAre("a🌞"));
  EXPECT_THAT(caption_lines(std::string("\xFF\xFE"
                                        "a\0\x3C\xD8",
                                        6)),
              ElementsAre("a\xEF\xBF\xBD"));  // Half a pair.
  EXPECT_THAT(caption_lines(" \n\t\r\n"), testing::IsEmpty());
}

TEST(Captions, AreReadFromNames) {
  EXPECT_EQ(caption_from_name("x/red_car-at-night 012.png"), "red car at night");
  EXPECT_EQ(caption_from_name("lighthouse (3).jpg"), "lighthouse");
  EXPECT_EQ(caption_from_name("a__b--7.webp"), "a b");
  EXPECT_EQ(caption_from_name("2 ships_04.png"), "2 ships");
  EXPECT_EQ(caption_from_name("00017.png"), "");
}

TEST(Shuffled, EveryShuffleHasEveryNumberOnceInItsOwnOrder) {
  for (const std::uint64_t count : {1u, 2u, 3u, 7u, 64u, 100u}) {
    std::vector<std::uint64_t> first, second;
    for (std::uint64_t i = 0; i < count; ++i) {
      first.push_back(shuffled(5, i, count));
      second.push_back(shuffled(5, count + i, count));
    }
    EXPECT_EQ(std::set(first.begin(), first.end()).size(), count);
    EXPECT_EQ(std::set(second.begin(), second.end()).size(), count);
    EXPECT_LT(*std::max_element(first.begin(), first.end()), count);
    if (count >= 64) {
      EXPECT_NE(first, second);
    }
  }
}

TEST(ImageFolder, GivesSquaresAndTheirCaptions) {
  const Folder folder;
  write_images(folder.path());
  const ImageFolder images(folder.path(), {});
  EXPECT_EQ(images.count(), 3u);
  EXPECT_THAT(images.texts(), ElementsAre("a green field", "c.WEBP", "grass", "red car at night"));
  const CaptionedBatch batch = images.batch(0, 12, 16);
  ASSERT_EQ(batch.pictures.sizes(), at::IntArrayRef({12, 3, 16, 16}));
  EXPECT_TRUE(batch.scenes.empty());
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < 12; ++i) {
    const std::string& text = batch.captions[static_cast<std::size_t>(i)].text;
    const std::int64_t channel = text == "red car at night" ? 0 : text == "c.WEBP" ? 2 : 1;
    EXPECT_GT(batch.pictures[i][channel].max().item<int>(), 240) << text;
    EXPECT_LT(batch.pictures[i][(channel + 1) % 3].to(at::kFloat).mean().item<double>(), 30) << text;
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST(ImageFolder, SamplesDependOnSeedAndIndexAlone) {
  const Folder folder;
  write_images(folder.path());
  const ImageFolder one(folder.path(), {}), without_memory(folder.path(), {.cache_bytes = 0});
  const CaptionedBatch all = one.batch(4, 8, 16);
  at::Tensor parts[4];
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { parts[i] = without_memory.batch(4 + 2 * i, 2, 16).pictures; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(at::equal(all.pictures, at::cat({parts[0], parts[1], parts[2], parts[3]})));
  EXPECT_TRUE(at::equal(all.pictures, one.batch(4, 8, 16).pictures));
  const ImageFolder other(folder.path(), {.seed = 2});
  EXPECT_FALSE(at::equal(all.pictures, other.batch(4, 8, 16).pictures));
}

TEST(ImageFolder, MirrorsAboutHalfOrNone) {
  const Folder folder;
  write_picture(folder.path() / "a.png", plain(48, 48, 255, 255, 255));
  const auto share_black_on_the_right = [&](bool mirror) {
    const ImageFolder images(folder.path(), {.mirror = mirror});
    const at::Tensor right = images.batch(0, 60, 16).pictures.select(1, 0).select(2, 15).to(at::kFloat).mean(1);
    return (right < 128).to(at::kFloat).mean().item<double>();
  };
  EXPECT_EQ(share_black_on_the_right(false), 0);
  EXPECT_NEAR(share_black_on_the_right(true), 0.5, 0.2);
}

TEST(ImageFolder, LeavesOutWhatIsBrokenAndSaysSo) {
  const Folder folder;
  write_images(folder.path());
  write_file(folder.path() / "text.png", "no picture");
  const std::string whole = read_file(folder.path() / "red_car-at-night 012.png");
  write_file(folder.path() / "cut.png", whole.substr(0, whole.size() / 2));
  write_file(folder.path() / "empty.jpg", "");
  const ImageFolder images(folder.path(), {});
  EXPECT_EQ(images.count(), 4u);  // The one that is cut short has a good beginning.
  const CaptionedBatch batch = images.batch(0, 8, 16);
  for (const Caption& caption : batch.captions) EXPECT_NE(caption.text, "cut");
  const std::vector<std::string> notes = images.take_notes();
  EXPECT_EQ(notes.size(), 3u);
  EXPECT_THAT(notes, testing::Contains(HasSubstr("cut.png is left out")));
  EXPECT_THAT(notes, testing::Contains(HasSubstr("text.png is left out: it is no PNG, JPEG or WebP file")));
  images.batch(0, 8, 16);
  EXPECT_TRUE(images.take_notes().empty());
}

TEST(ImageFolder, NamesTenBrokenFilesAndCountsTheOthers) {
  const Folder folder;
  write_images(folder.path());
  for (int i = 0; i < 14; ++i) write_file(folder.path() / ("x" + std::to_string(i) + ".png"), "x");
  const ImageFolder images(folder.path(), {});
  const std::vector<std::string> notes = images.take_notes();
  ASSERT_EQ(notes.size(), 11u);
  EXPECT_THAT(notes.back(), HasSubstr("4 more files that cannot be read are left out: 14 in all"));
}

TEST(ImageFolder, FoldersWithoutAPictureAreRefused) {
  const Folder folder;
  const auto problem = [&](const fs::path& path) {
    try {
      const ImageFolder images(path, {});
    } catch (const RequestError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(problem(folder.path() / "missing"), HasSubstr("there is no such folder"));
  EXPECT_THAT(problem(folder.path()), HasSubstr("there are no pictures"));
  write_file(folder.path() / "a.png", "x");
  EXPECT_THAT(problem(folder.path()), HasSubstr("none of the 1 pictures"));
}

TEST(ImageFolder, AnotherFolderHasAnotherFingerprint) {
  const Folder folder;
  write_images(folder.path());
  const std::string before = ImageFolder(folder.path(), {}).fingerprint();
  EXPECT_EQ(ImageFolder(folder.path(), {}).fingerprint(), before);
  write_picture(folder.path() / "d.png", plain(8, 8, 1, 2, 3));
  EXPECT_NE(ImageFolder(folder.path(), {}).fingerprint(), before);
}

TEST(ImageFolder, TrainsBothKindsOfModelFromIt) {
  const Folder folder;
  write_images(folder.path() / "images");
  write_file(folder.path() / "images" / "broken.png", "x");
  for (TrainRequest request : {tiny_diffusion(folder.path() / "d"), tiny_clip(folder.path() / "c")}) {
    request.data = folder.path() / "images";
    request.steps = 4;
    request.sheet_minutes = 15;
    Listener stopping, rest;
    stopping.stop_after = 2;
    EXPECT_THROW(train(request, stopping), Interrupted);
    EXPECT_THAT(stopping.notes, testing::Contains(HasSubstr("broken.png is left out")));
    train(request, rest);
    EXPECT_EQ(rest.losses.size(), 2u);
    if (request.role == "clip") {
      EXPECT_THAT(rest.notes, testing::Contains(HasSubstr("nearest to their own of 5 captions")));
    }

    write_picture(folder.path() / "images" / (request.role + ".png"), plain(8, 8, 1, 2, 3));
    EXPECT_THROW(train(request, rest), RequestError);  // Another folder now.
  }
}

}  // namespace
}  // namespace disco

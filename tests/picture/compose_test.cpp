#include "picture/compose.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <climits>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace disco {
namespace {

const Rgb red = {200, 0, 0}, blue = {0, 0, 200};

Picture random_picture(int channels) {
  Picture picture(*rc::gen::inRange(1, 20), *rc::gen::inRange(1, 20), channels);
  picture.samples =
      *rc::gen::container<std::vector<std::uint8_t>>(picture.samples.size(), rc::gen::arbitrary<std::uint8_t>());
  return picture;
}

Rgb colour_at(const Picture& picture, int x, int y) {
  return {picture.at(x, y, 0), picture.at(x, y, 1), picture.at(x, y, 2)};
}

TEST(Paste, WhatLiesOutsideIsCutOff) {
  EXPECT_TRUE(rc::check([] {
    Picture onto = filled(*rc::gen::inRange(1, 12), *rc::gen::inRange(1, 12), red);
    const Picture picture = filled(*rc::gen::inRange(1, 12), *rc::gen::inRange(1, 12), blue);
    const int x = *rc::gen::inRange(-15, 15), y = *rc::gen::inRange(-15, 15);
    paste(onto, picture, x, y);
    for (int row = 0; row < onto.height; ++row) {
      for (int column = 0; column < onto.width; ++column) {
        const bool inside = column >= x && column < x + picture.width && row >= y && row < y + picture.height;
        RC_ASSERT(colour_at(onto, column, row) == (inside ? blue : red));
      }
    }
  }));
  Picture onto = filled(3, 3, red);
  for (const int far : {INT_MIN, INT_MAX}) paste(onto, filled(3, 3, blue), far, far);
  EXPECT_EQ(onto.samples, filled(3, 3, red).samples);
}

TEST(Paste, ChannelsAreMadeToFit) {
  Picture grey(1, 1, 1), rgba(1, 1, 4), rgb = filled(1, 1, {10, 20, 30});
  grey.samples = {77};
  rgba.samples = {100, 150, 200, 51};
  Picture onto_rgb = filled(1, 1, {0, 0, 0}), onto_grey(1, 1, 1), onto_rgba(1, 1, 4);
  paste(onto_rgb, grey, 0, 0);
  EXPECT_EQ(onto_rgb.samples, (std::vector<std::uint8_t>{77, 77, 77}));
  paste(onto_grey, rgb, 0, 0);
  EXPECT_EQ(onto_grey.samples, (std::vector<std::uint8_t>{18}));
  onto_rgb = rgb;
  paste(onto_rgb, rgba, 0, 0);  // A fifth of the new over four fifths of the old.
  EXPECT_EQ(onto_rgb.samples, (std::vector<std::uint8_t>{28, 46, 64}));
  paste(onto_rgba, rgba, 0, 0);
  EXPECT_EQ(onto_rgba.samples, rgba.samples);
  paste(onto_rgba, grey, 0, 0);
  EXPECT_EQ(onto_rgba.samples, (std::vector<std::uint8_t>{77, 77, 77, 255}));
}

TEST(Grid, CellsAndLabelsLieApartInsideTheSheet) {
  EXPECT_TRUE(rc::check([] {
    GridOptions options;
    options.columns = *rc::gen::inRange(0, 5);
    options.margin = *rc::gen::inRange(0, 9);
    options.label_height = *rc::gen::inRange(0, 9);
    options.header_height = *rc::gen::inRange(0, 9);
    options.side_width = *rc::gen::inRange(0, 9);
    const int count = *rc::gen::inRange(1, 14), width = *rc::gen::inRange(1, 9), height = *rc::gen::inRange(1, 9);
    const GridLayout layout = lay_out_grid(count, width, height, options);
    RC_ASSERT(layout.cells.size() == static_cast<std::size_t>(count));
    Picture sheet(layout.width, layout.height, 1);
    for (std::size_t k = 0; k < layout.cells.size(); ++k) {
      RC_ASSERT(layout.cells[k].width == width);
      RC_ASSERT(layout.labels[k].y == layout.cells[k].y + height);
      for (const Rectangle& part : {layout.cells[k], layout.labels[k]}) {
        for (int y = part.y; y < part.y + part.height; ++y) {
          for (int x = part.x; x < part.x + part.width; ++x) {
            RC_ASSERT(x >= options.side_width + options.margin);
            RC_ASSERT(y >= options.header_height + options.margin);
            RC_ASSERT(x < layout.width - options.margin);
            RC_ASSERT(y < layout.height - options.margin);
            RC_ASSERT(sheet.at(x, y, 0)++ == 0);
          }
        }
      }
    }
  }));
}

TEST(Grid, IsAsSquareAsCanBe) {
  const auto columns = [](int count) { return lay_out_grid(count, 4, 4, {}).columns; };
  EXPECT_EQ(columns(1), 1);
  EXPECT_EQ(columns(4), 2);
  EXPECT_EQ(columns(5), 3);
  EXPECT_EQ(columns(9), 3);
  EXPECT_EQ(lay_out_grid(5, 4, 4, {}).rows, 2);
}

TEST(Grid, PicturesLieInTheMiddleOfTheirCells) {
  GridOptions options;
  options.margin = 2;
  const std::vector<Picture> pictures = {filled(6, 4, red), filled(2, 2, blue)};
  const Picture sheet = compose_grid(pictures, options);
  EXPECT_EQ(sheet.width, 2 + 6 + 2 + 6 + 2);
  EXPECT_EQ(sheet.height, 2 + 4 + 2);
  EXPECT_EQ(colour_at(sheet, 0, 0), options.background);
  EXPECT_EQ(colour_at(sheet, 2, 2), red);
  EXPECT_EQ(colour_at(sheet, 7, 5), red);
  EXPECT_EQ(colour_at(sheet, 12, 3), blue);
  EXPECT_EQ(colour_at(sheet, 13, 4), blue);
  EXPECT_EQ(colour_at(sheet, 11, 3), options.background);
}

TEST(Grid, RefusesNothingAndTooMuch) {
  EXPECT_THROW((void)compose_grid({}, {}), Error);
  EXPECT_THROW((void)lay_out_grid(1000000, 1000, 1000, {}), Error);
  EXPECT_THROW((void)lay_out_grid(2, 0, 0, GridOptions{.margin = 0}), Error);
}

TEST(ResizeBox, KeepsOneColourAndTheMean) {
  EXPECT_TRUE(rc::check([] {
    const Picture flat = filled(*rc::gen::inRange(1, 30), *rc::gen::inRange(1, 30), {7, 130, 255});
    const int width = *rc::gen::inRange(1, 30), height = *rc::gen::inRange(1, 30);
    RC_ASSERT(resize_box(flat, width, height).samples == filled(width, height, {7, 130, 255}).samples);

    const Picture grey = random_picture(1);
    const Picture resized = resize_box(grey, width, height);
    const auto mean = [](const Picture& picture) {
      return std::accumulate(picture.samples.begin(), picture.samples.end(), 0.0) /
             static_cast<double>(picture.samples.size());
    };
    RC_ASSERT(std::abs(mean(grey) - mean(resized)) <= 0.51);
    RC_ASSERT(resize_box(grey, grey.width, grey.height).samples == grey.samples);
  }));
}

TEST(ResizeBox, WholeFactorsAverageAndRepeat) {
  Picture picture(4, 2, 1);
  picture.samples = {0, 10, 20, 30, 2, 12, 22, 33};
  EXPECT_EQ(resize_box(picture, 2, 1).samples, (std::vector<std::uint8_t>{6, 26}));
  Picture pair(2, 1, 1);
  pair.samples = {5, 9};
  EXPECT_EQ(resize_box(pair, 6, 2).samples, (std::vector<std::uint8_t>{5, 5, 5, 9, 9, 9, 5, 5, 5, 9, 9, 9}));
  Picture three(3, 1, 1);
  three.samples = {0, 90, 180};
  EXPECT_EQ(resize_box(three, 2, 1).samples, (std::vector<std::uint8_t>{30, 150}));
}

TEST(ResizeBox, TransparentColoursDoNotBleed) {
  Picture picture(2, 1, 4);
  picture.samples = {255, 0, 0, 255, 0, 255, 0, 0};
  EXPECT_EQ(resize_box(picture, 1, 1).samples, (std::vector<std::uint8_t>{255, 0, 0, 128}));
}

TEST(Thumbnail, FitsAndKeepsTheAspect) {
  const Picture wide = thumbnail(filled(1280, 768, red), 100);
  EXPECT_EQ(wide.width, 100);
  EXPECT_EQ(wide.height, 60);
  EXPECT_EQ(thumbnail(filled(30, 60, red), 20).width, 10);
  EXPECT_EQ(thumbnail(filled(2000, 1, red), 20).height, 1);
  EXPECT_EQ(thumbnail(filled(10, 5, red), 20).width, 10);
}

}  // namespace
}  // namespace disco

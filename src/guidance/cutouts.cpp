#include "guidance/cutouts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "kernels/choice.h"
#include "kernels/gpu.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

void check(const at::Tensor& picture, const CutoutSettings& settings) {
  if (picture.dim() != 4 || picture.size(0) != 1 || picture.size(1) != 3) {
    throw Error("cutouts are made of one picture of shape (1,3,H,W)");
  }
  if (settings.overview < 0 || settings.inner < 0 || settings.overview + settings.inner == 0) {
    throw RequestError("there are no cuts to look at", "cut_overview, cut_innercut",
                       "give at least one cut at every step");
  }
  if (settings.ic_pow < 0) throw RequestError("the power of inner cuts is negative", "cut_ic_pow", "use 0 or more");
}

/// Overviews of up to so many are of kinds of their own.
constexpr int kinds = 4;

/// The whole picture, padded to a square, at the size of a cut.
at::Tensor overview_of(const at::Tensor& picture, std::int64_t cut_size) {
  const std::int64_t height = picture.size(2), width = picture.size(3), shorter = std::min(height, width);
  const std::int64_t beside = (height - shorter) / 2, above = (width - shorter) / 2;
  const at::Tensor square = at::constant_pad_nd(picture, {beside, beside, above, above}, 0);
  return resize_right(square, cut_size, cut_size);
}

at::Tensor mirror(const at::Tensor& x) { return x.flip({3}); }

/// Grey on three channels.
at::Tensor to_grey(const at::Tensor& x) { return grey(x).expand_as(x); }

void add_overviews(std::vector<at::Tensor>& cuts, const at::Tensor& picture, const CutoutSettings& settings) {
  if (settings.overview == 0) return;
  const at::Tensor cut = overview_of(picture, settings.cut_size);
  if (settings.overview > kinds) {
    cuts.push_back(cut.expand({settings.overview, -1, -1, -1}));
    return;
  }
  cuts.push_back(cut);
  if (settings.overview > 1) cuts.push_back(to_grey(cut));
  if (settings.overview > 2) cuts.push_back(mirror(cut));
  if (settings.overview > 3) cuts.push_back(to_grey(mirror(cut)));
}

/// int(rand^ic_pow · (largest − smallest) + smallest), in float32 as the original computes it.
std::int64_t draw_size(double ic_pow, std::int64_t smallest, std::int64_t largest, RandomStream& places) {
  const at::Tensor share = at::pow(at::scalar_tensor(places.rand(), at::kFloat), ic_pow);
  return static_cast<std::int64_t>((share * (largest - smallest) + smallest).item<float>());
}

int grey_cuts(const CutoutSettings& settings) {
  // The small addition keeps shares like 0.29 of 100 whole.
  if (!settings.faithful) return static_cast<int>(settings.icgray_p * settings.inner + 1e-9);
  return static_cast<int>(settings.icgray_p * settings.inner) + 1;
}

std::vector<CutSquare> draw_inner_cuts(const at::Tensor& picture, const CutoutSettings& settings,
                                       RandomStream& places) {
  const std::int64_t height = picture.size(2), width = picture.size(3);
  const std::int64_t largest = std::min(height, width), smallest = std::min(largest, settings.cut_size);
  const int greys = grey_cuts(settings);
  std::vector<CutSquare> squares;
  for (int k = 0; k < settings.inner; ++k) {
    const std::int64_t size = draw_size(settings.ic_pow, smallest, largest, places);
    const std::int64_t x = places.randint(0, width - size + 1), y = places.randint(0, height - size + 1);
    squares.push_back({static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), static_cast<std::int32_t>(size),
                       k < greys ? CutSquare::greyed : CutSquare::plain});
  }
  return squares;
}

at::Tensor inner_cut(const at::Tensor& picture, const CutSquare& inner, std::int64_t cut_size) {
  const at::Tensor square = picture.narrow(2, inner.y, inner.side).narrow(3, inner.x, inner.side);
  // The resize treats channels alike, so one is enough for a grey cut.
  const bool is_grey = inner.flags == CutSquare::greyed;
  return resize_right(is_grey ? grey(square) : square, cut_size, cut_size).expand({1, 3, -1, -1});
}

/// All cuts by one operator. The overview's square reaches beyond the picture's longer sides.
at::Tensor cut_together(const at::Tensor& picture, const CutoutSettings& settings,
                        const std::vector<CutSquare>& inner) {
  const auto height = static_cast<std::int32_t>(picture.size(2)), width = static_cast<std::int32_t>(picture.size(3));
  const std::int32_t shorter = std::min(height, width), beside = (height - shorter) / 2, above = (width - shorter) / 2;
  const CutSquare whole{-beside, -above, std::max(height + 2 * above, width + 2 * beside), CutSquare::plain};
  std::vector<CutSquare> squares;
  constexpr std::array<std::int32_t, kinds> flags = {CutSquare::plain, CutSquare::greyed, CutSquare::mirrored,
                                                     CutSquare::greyed | CutSquare::mirrored};
  const int overviews = settings.overview > kinds ? 1 : settings.overview;
  for (int k = 0; k < overviews; ++k) {
    squares.push_back(whole);
    squares.back().flags = flags[static_cast<std::size_t>(k)];
  }
  squares.insert(squares.end(), inner.begin(), inner.end());
  const at::Tensor cuts = gpu()->resized_cuts(picture, squares, settings.cut_size);
  if (settings.overview <= kinds) return cuts;
  return at::cat({cuts.narrow(0, 0, 1).expand({settings.overview, -1, -1, -1}),
                  cuts.narrow(0, 1, static_cast<std::int64_t>(inner.size()))});
}

/// The GPU's operator takes squares: sides that are padded by whole pixels become one.
bool cuts_together(const at::Tensor& picture) {
  const bool square = (picture.size(2) - picture.size(3)) % 2 == 0;
  return chosen_kernels() == Kernels::fast && picture.is_cuda() && gpu() && square &&
         picture.scalar_type() == at::kFloat;
}

at::Tensor cut_one_by_one(const at::Tensor& picture, const CutoutSettings& settings,
                          const std::vector<CutSquare>& inner) {
  std::vector<at::Tensor> cuts;
  add_overviews(cuts, picture, settings);
  for (const CutSquare& square : inner) cuts.push_back(inner_cut(picture, square, settings.cut_size));
  return at::cat(cuts);
}

}  // namespace

at::Tensor make_cutouts(const at::Tensor& picture, const CutoutSettings& settings, RandomStream& places,
                        RandomStream& augmentation) {
  check(picture, settings);
  const std::vector<CutSquare> inner = draw_inner_cuts(picture, settings, places);
  const at::Tensor batch =
      cuts_together(picture) ? cut_together(picture, settings, inner) : cut_one_by_one(picture, settings, inner);
  return settings.skip_augs ? batch : augment(batch, settings.list, augmentation, settings.faithful);
}

}  // namespace disco

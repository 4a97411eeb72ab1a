#include "guidance/augment.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <optional>

#include "core/error.h"
#include "kernels/choice.h"
#include "kernels/cut_colours.h"
#include "kernels/cut_warp.h"

namespace disco {
namespace {

/// What sets the three lists apart.
struct Recipe {
  double mirror_share;
  double degrees, shift;
  Interpolation interpolation;
  double perspective_share;
  double grey_share;
  bool jitters;
  double hue;
};

constexpr double noise_strength = .01, distortion = .4, jitter_strength = .1;

Recipe recipe_of(AugmentationList list) {
  switch (list) {
    case AugmentationList::still:
      return {.5, 10, .05, Interpolation::bilinear, 0, .1, true, .1};
    case AugmentationList::three_d:
      return {.4, 10, .05, Interpolation::bilinear, 0, .1, true, .3};
    case AugmentationList::video:
      return {.5, 15, .1, Interpolation::nearest, .7, .15, false, 0};
  }
  throw Error("an unknown list of augmentations was asked for");
}

/// torch.rand(1) < share, which is compared in float32.
bool happens(double share, RandomStream& stream) {
  return stream.rand() < static_cast<double>(static_cast<float>(share));
}

at::Tensor draw_noise(const at::Tensor& cuts, RandomStream& stream) { return stream.randn(cuts.sizes()); }

at::Tensor add_noise(const at::Tensor& x, const at::Tensor& noise) {
  return x + (noise * noise_strength).to(x.options());
}

/// (1, h·w, 3): x, y, 1 of the pixels in order, the first at `first_x`, `first_y`.
at::Tensor pixel_coordinates(std::int64_t width, std::int64_t height, double first_x, double first_y) {
  at::Tensor grid = at::ones({1, height, width, 3}, at::kFloat);
  const auto steps = [](double first, std::int64_t n) {
    return at::linspace(first, first + static_cast<double>(n - 1), n);
  };
  grid.select(3, 0).copy_(steps(first_x, width));
  grid.select(3, 1).copy_(steps(first_y, height).unsqueeze(1));
  return grid.view({1, height * width, 3});
}

at::Tensor float_matrix(std::initializer_list<double> values, at::IntArrayRef shape) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).to(at::kFloat).reshape(shape);
}

/// Pixels to the sampler's coordinates: the picture's sides span −1 to 1.
at::Tensor half_sides(std::int64_t width, std::int64_t height) {
  return float_matrix({.5 * static_cast<double>(width), .5 * static_cast<double>(height)}, {2});
}

/// At `places` (1,h,w,2), in the sampler's coordinates.
at::Tensor sample(const at::Tensor& x, const at::Tensor& places, Interpolation interpolation, bool fade_twice) {
  constexpr std::int64_t bilinear = 0, nearest = 1, zeros_outside = 0;
  const std::int64_t mode = interpolation == Interpolation::bilinear ? bilinear : nearest;
  const at::Tensor grid = places.to(x.options());
  at::Tensor y = at::grid_sampler(x, grid.expand({x.size(0), -1, -1, -1}), mode, zeros_outside, false);
  if (interpolation == Interpolation::nearest || !fade_twice) return y;
  const at::Tensor ones = at::ones({1, 1, x.size(2), x.size(3)}, x.options());
  return y * at::grid_sampler(ones, grid, mode, zeros_outside, false);
}

/// Where the pixels of the result come from, (1,h,w,2).
at::Tensor affine_places(std::int64_t width, std::int64_t height, const Affine& affine) {
  const double angle = affine.degrees * std::numbers::pi / 180, cosine = std::cos(angle), sine = std::sin(angle);
  const auto right = static_cast<double>(affine.right), down = static_cast<double>(affine.down);
  const at::Tensor to_source = float_matrix(
      {cosine, sine, -cosine * right - sine * down, -sine, cosine, sine * right - cosine * down}, {1, 2, 3});
  const at::Tensor pixels =
      pixel_coordinates(width, height, .5 - .5 * static_cast<double>(width), .5 - .5 * static_cast<double>(height));
  return pixels.bmm(to_source.transpose(1, 2) / half_sides(width, height)).view({1, height, width, 2});
}

at::Tensor perspective_places(std::int64_t width, std::int64_t height, const Corners& corners) {
  const auto last_x = static_cast<double>(width - 1), last_y = static_cast<double>(height - 1);
  const std::array<std::array<double, 2>, 4> targets = {{{0, 0}, {last_x, 0}, {last_x, last_y}, {0, last_y}}};
  // The homography (Hartley & Zisserman, ch. 4) with its last entry 1: two equations a corner.
  std::vector<double> equations, right_side;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const auto px = static_cast<double>(corners[i][0]), py = static_cast<double>(corners[i][1]);
    const auto [qx, qy] = targets[i];
    equations.insert(equations.end(), {px, py, 1, 0, 0, 0, -qx * px, -qx * py});
    equations.insert(equations.end(), {0, 0, 0, px, py, 1, -qy * px, -qy * py});
    right_side.insert(right_side.end(), {qx, qy});
  }
  const at::Tensor matrix = at::tensor(equations, at::kDouble).view({8, 8});
  const at::Tensor h =
      std::get<0>(at::linalg_lstsq(matrix, at::tensor(right_side, at::kDouble), {}, "gels")).to(at::kFloat);
  const at::Tensor above = h.narrow(0, 0, 6).view({1, 2, 3});
  const at::Tensor below = at::cat({h.narrow(0, 6, 2), at::ones({1}, at::kFloat)}).view({1, 1, 3}).expand({1, 2, 3});
  const at::Tensor pixels = pixel_coordinates(width, height, .5, .5);
  const at::Tensor source =
      pixels.bmm(above.transpose(1, 2) / half_sides(width, height)) / pixels.bmm(below.transpose(1, 2));
  return (source - 1).view({1, height, width, 2});
}

/// Mirrored or not, noise added, sampled at `places`: in one pass where the kernel applies.
at::Tensor warp(const at::Tensor& cuts, bool mirrored, const at::Tensor& noise, const at::Tensor& places,
                Interpolation interpolation, bool fade_twice) {
  if (chosen_kernels() == Kernels::fast && fused_cut_warp_applies(cuts)) {
    return fused_cut_warp(
        cuts, noise, noise_strength, places,
        {.mirrored = mirrored, .nearest = interpolation == Interpolation::nearest, .fade_twice = fade_twice});
  }
  return sample(add_noise(mirrored ? cuts.flip({3}) : cuts, noise), places, interpolation, fade_twice);
}

/// Noise, grey or not, noise, jitter.
at::Tensor colour(const at::Tensor& cuts, const at::Tensor& first, bool is_grey, const at::Tensor& second,
                  const std::optional<ColourJitter>& jitter) {
  if (chosen_kernels() == Kernels::fast && fused_cut_colours_applies(cuts)) {
    return fused_cut_colours(cuts, first, second, noise_strength, is_grey,
                             jitter ? std::optional(colour_steps(*jitter)) : std::nullopt);
  }
  at::Tensor x = add_noise(cuts, first);
  if (is_grey) x = grey(x).expand_as(x);
  x = add_noise(x, second);
  return jitter ? apply_colour_jitter(x, *jitter) : x;
}

}  // namespace

AugmentationList augmentation_list(const std::string& animation_mode) {
  if (animation_mode == "None") return AugmentationList::still;
  if (animation_mode == "Video Input") return AugmentationList::video;
  if (animation_mode == "2D" || animation_mode == "3D") return AugmentationList::three_d;
  throw RequestError("\"" + animation_mode + "\" is no animation mode", "animation_mode",
                     "use None, 2D, 3D or Video Input");
}

at::Tensor augment(const at::Tensor& cuts, AugmentationList list, RandomStream& stream, bool faithful) {
  const Recipe recipe = recipe_of(list);
  const std::int64_t width = cuts.size(3), height = cuts.size(2);
  const bool mirrored = happens(recipe.mirror_share, stream);
  at::Tensor noise = draw_noise(cuts, stream);
  const Affine affine = draw_affine(width, height, recipe.degrees, recipe.shift, stream);
  at::Tensor x = warp(cuts, mirrored, noise, affine_places(width, height, affine), recipe.interpolation, faithful);
  noise = draw_noise(cuts, stream);
  if (recipe.perspective_share > 0) {
    if (happens(recipe.perspective_share, stream)) {
      const Corners corners = draw_corners(width, height, distortion, stream);
      x = warp(x, false, noise, perspective_places(width, height, corners), Interpolation::bilinear, faithful);
    } else {
      x = add_noise(x, noise);
    }
    noise = draw_noise(cuts, stream);
  }
  const bool is_grey = happens(recipe.grey_share, stream);
  const at::Tensor last_noise = draw_noise(cuts, stream);
  std::optional<ColourJitter> jitter;
  if (recipe.jitters) jitter = draw_colour_jitter(jitter_strength, recipe.hue, stream);
  return colour(x, noise, is_grey, last_noise, jitter);
}

Affine draw_affine(std::int64_t width, std::int64_t height, double degrees, double shift, RandomStream& stream) {
  const auto pixels = [&](std::int64_t side) {
    const double limit = shift * static_cast<double>(side);
    // Halves go to the even number, as Python's round() does.
    return static_cast<std::int64_t>(std::nearbyint(stream.uniform(-limit, limit)));
  };
  Affine affine;
  affine.degrees = stream.uniform(-degrees, degrees);
  affine.right = pixels(width);
  affine.down = pixels(height);
  return affine;
}

at::Tensor apply_affine(const at::Tensor& x, const Affine& affine, Interpolation interpolation, bool fade_twice) {
  return sample(x, affine_places(x.size(3), x.size(2), affine), interpolation, fade_twice);
}

Corners draw_corners(std::int64_t width, std::int64_t height, double share, RandomStream& stream) {
  const auto reach = [&](std::int64_t side) {
    const std::int64_t half = side / 2;
    return static_cast<std::int64_t>(share * static_cast<double>(half));
  };
  const auto near = [&](std::int64_t side) { return stream.randint(0, reach(side) + 1); };
  const auto far = [&](std::int64_t side) { return stream.randint(side - reach(side) - 1, side); };
  Corners corners{};
  // The elements of a braced list are drawn from left to right.
  corners[0] = {near(width), near(height)};
  corners[1] = {far(width), near(height)};
  corners[2] = {far(width), far(height)};
  corners[3] = {near(width), far(height)};
  return corners;
}

at::Tensor apply_perspective(const at::Tensor& x, const Corners& corners, bool fade_twice) {
  return sample(x, perspective_places(x.size(3), x.size(2), corners), Interpolation::bilinear, fade_twice);
}

}  // namespace disco

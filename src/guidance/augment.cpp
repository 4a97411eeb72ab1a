#include "guidance/augment.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <optional>

#include "core/error.h"
#include "guidance/noise.h"
#include "kernels/choice.h"
#include "kernels/cut_colours.h"
#include "kernels/cut_warp.h"
#include "kernels/gpu.h"

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

using Matrix = std::array<double, 9>;  ///< 3×3, rows one after the other.

Matrix inverse_of(const Matrix& m) {
  const auto minor = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    return m[a] * m[d] - m[b] * m[c];
  };
  const double determinant = m[0] * minor(4, 5, 7, 8) - m[1] * minor(3, 5, 6, 8) + m[2] * minor(3, 4, 6, 7);
  Matrix inverse = {minor(4, 5, 7, 8),  -minor(1, 2, 7, 8), minor(1, 2, 4, 5),   //
                    -minor(3, 5, 6, 8), minor(0, 2, 6, 8),  -minor(0, 2, 3, 5),  //
                    minor(3, 4, 6, 7),  -minor(0, 1, 6, 7), minor(0, 1, 3, 4)};
  for (double& entry : inverse) entry /= determinant;
  return inverse;
}

CutMap map_of(const Matrix& to_source) {
  const Matrix to_result = inverse_of(to_source);
  CutMap map{};
  for (std::size_t k = 0; k < to_source.size(); ++k) {
    map.to_source[k] = static_cast<float>(to_source[k]);
    map.to_result[k] = static_cast<float>(to_result[k]);
  }
  return map;
}

/// From the result's columns and rows to the source's.
CutMap affine_map(std::int64_t width, std::int64_t height, const Affine& affine) {
  const double angle = affine.degrees * std::numbers::pi / 180, cosine = std::cos(angle), sine = std::sin(angle);
  // About the centre, less the shift.
  const double middle_x = .5 * static_cast<double>(width) - .5, middle_y = .5 * static_cast<double>(height) - .5;
  const double x = middle_x + static_cast<double>(affine.right), y = middle_y + static_cast<double>(affine.down);
  return map_of({cosine, sine, middle_x - cosine * x - sine * y,   //
                 -sine, cosine, middle_y + sine * x - cosine * y,  //
                 0, 0, 1});
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

/// The first eight entries of the homography (Hartley & Zisserman, ch. 4) whose last is 1, from the result's pixels at
/// their centres to the source's: two equations a corner. (8), float64.
at::Tensor homography(std::int64_t width, std::int64_t height, const Corners& corners) {
  const auto last_x = static_cast<double>(width - 1), last_y = static_cast<double>(height - 1);
  const std::array<std::array<double, 2>, 4> targets = {{{0, 0}, {last_x, 0}, {last_x, last_y}, {0, last_y}}};
  std::vector<double> equations, right_side;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const auto px = static_cast<double>(corners[i][0]), py = static_cast<double>(corners[i][1]);
    const auto [qx, qy] = targets[i];
    equations.insert(equations.end(), {px, py, 1, 0, 0, 0, -qx * px, -qx * py});
    equations.insert(equations.end(), {0, 0, 0, px, py, 1, -qy * px, -qy * py});
    right_side.insert(right_side.end(), {qx, qy});
  }
  const at::Tensor matrix = at::tensor(equations, at::kDouble).view({8, 8});
  return std::get<0>(at::linalg_lstsq(matrix, at::tensor(right_side, at::kDouble), {}, "gels"));
}

CutMap perspective_map(std::int64_t width, std::int64_t height, const Corners& corners) {
  const at::Tensor entries = homography(width, height, corners).contiguous();
  const double* h = entries.const_data_ptr<double>();
  // Pixels lie at their centres on both sides.
  const auto row = [&](double x, double y, double rest) { return std::array{x, y, rest + (x + y) / 2}; };
  const std::array below = row(h[6], h[7], 1), across = row(h[0], h[1], h[2]), down = row(h[3], h[4], h[5]);
  return map_of({across[0] - below[0] / 2, across[1] - below[1] / 2, across[2] - below[2] / 2,  //
                 down[0] - below[0] / 2, down[1] - below[1] / 2, down[2] - below[2] / 2,        //
                 below[0], below[1], below[2]});
}

at::Tensor perspective_places(std::int64_t width, std::int64_t height, const Corners& corners) {
  const at::Tensor h = homography(width, height, corners).to(at::kFloat);
  const at::Tensor above = h.narrow(0, 0, 6).view({1, 2, 3});
  const at::Tensor below = at::cat({h.narrow(0, 6, 2), at::ones({1}, at::kFloat)}).view({1, 1, 3}).expand({1, 2, 3});
  const at::Tensor pixels = pixel_coordinates(width, height, .5, .5);
  const at::Tensor source =
      pixels.bmm(above.transpose(1, 2) / half_sides(width, height)) / pixels.bmm(below.transpose(1, 2));
  return (source - 1).view({1, height, width, 2});
}

/// Mirrored or not, noise added, moved: in one pass where the kernel applies.
template <typename Move>
at::Tensor warp(const at::Tensor& cuts, bool mirrored, const at::Tensor& noise, const Move& move,
                Interpolation interpolation, bool fade_twice) {
  const CutWarp how{.mirrored = mirrored, .nearest = interpolation == Interpolation::nearest, .fade_twice = fade_twice};
  const std::int64_t width = cuts.size(3), height = cuts.size(2);
  if (chosen_kernels() == Kernels::fast && cuts.is_cuda() && gpu()) {
    return gpu()->cut_warp(cuts, noise, noise_strength, move.map(width, height), how);
  }
  const at::Tensor places = move.places(width, height);
  if (chosen_kernels() == Kernels::fast && fused_cut_warp_applies(cuts)) {
    return fused_cut_warp(cuts, noise, noise_strength, places, how);
  }
  return sample(add_noise(mirrored ? cuts.flip({3}) : cuts, noise), places, interpolation, fade_twice);
}

struct AffineMove {
  Affine affine;
  CutMap map(std::int64_t width, std::int64_t height) const { return affine_map(width, height, affine); }
  at::Tensor places(std::int64_t width, std::int64_t height) const { return affine_places(width, height, affine); }
};

struct PerspectiveMove {
  Corners corners;
  CutMap map(std::int64_t width, std::int64_t height) const { return perspective_map(width, height, corners); }
  at::Tensor places(std::int64_t width, std::int64_t height) const {
    return perspective_places(width, height, corners);
  }
};

/// Noise, grey or not, noise, jitter.
at::Tensor colour(const at::Tensor& cuts, const at::Tensor& first, bool is_grey, const at::Tensor& second,
                  const std::optional<ColourJitter>& jitter) {
  const std::optional<ColourSteps> steps = jitter ? std::optional(colour_steps(*jitter)) : std::nullopt;
  if (chosen_kernels() == Kernels::fast && cuts.is_cuda() && gpu()) {
    return gpu()->cut_colours(cuts, first, second, noise_strength, is_grey, steps);
  }
  if (chosen_kernels() == Kernels::fast && fused_cut_colours_applies(cuts)) {
    return fused_cut_colours(cuts, first, second, noise_strength, is_grey, steps);
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
  std::uint32_t noises = 0;
  const auto next_noise = [&] { return draw_noise(stream, noises++, cuts.sizes(), cuts.device(), faithful); };
  const bool mirrored = happens(recipe.mirror_share, stream);
  at::Tensor noise = next_noise();
  const Affine affine = draw_affine(width, height, recipe.degrees, recipe.shift, stream);
  at::Tensor x = warp(cuts, mirrored, noise, AffineMove{affine}, recipe.interpolation, faithful);
  noise = next_noise();
  if (recipe.perspective_share > 0) {
    if (happens(recipe.perspective_share, stream)) {
      const Corners corners = draw_corners(width, height, distortion, stream);
      x = warp(x, false, noise, PerspectiveMove{corners}, Interpolation::bilinear, faithful);
    } else {
      x = add_noise(x, noise);
    }
    noise = next_noise();
  }
  const bool is_grey = happens(recipe.grey_share, stream);
  const at::Tensor last_noise = next_noise();
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

// Operators of the cutouts, (N,3,h,w) in float32.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cuda/launch.h"
#include "cuda/launching.h"
#include "cuda/operators.h"

namespace disco::cuda {
namespace {

launch::Cuts cuts_of(const at::Tensor& x) {
  return {x.size(0), static_cast<int>(x.size(2)), static_cast<int>(x.size(3))};
}

struct CutWarped : torch::autograd::Function<CutWarped> {
  struct Geometry : torch::CustomClassHolder {
    CutMap map;
    CutWarp warp;
    Geometry(const CutMap& given_map, CutWarp given_warp) : map(given_map), warp(given_warp) {}
  };

  static at::Tensor forward(AutogradContext* context, const at::Tensor& cuts, const at::Tensor& noise, double strength,
                            const c10::intrusive_ptr<Geometry>& geometry) {
    const at::AutoDispatchBelowAutograd below;
    const c10::cuda::CUDAGuard guard(cuts.device());
    const at::Tensor x = cuts.contiguous(), noises = noise.contiguous();
    at::Tensor y = at::empty_like(x);
    launch::cut_warp(cuts_of(x), values_of<float>(x), values_of<float>(noises), static_cast<float>(strength),
                     geometry->map, geometry->warp, room_in<float>(y), stream_of(x));
    check_launch();
    context->saved_data["geometry"] = c10::IValue::make_capsule(geometry);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor by_y = gradients[0].contiguous();
    const c10::cuda::CUDAGuard guard(by_y.device());
    const auto capsule = context->saved_data["geometry"].toCapsule();
    const auto& geometry = static_cast<const Geometry&>(*capsule);
    at::Tensor by_x = at::empty_like(by_y);
    launch::cut_warp_backward(cuts_of(by_y), values_of<float>(by_y), geometry.map, geometry.warp, room_in<float>(by_x),
                              stream_of(by_y));
    check_launch();
    return {by_x, {}, {}, {}};
  }
};

launch::ColourWork work_of(double strength, bool grey, const std::optional<ColourSteps>& steps) {
  launch::ColourWork work{static_cast<float>(strength), grey, steps.has_value(), {}};
  work.steps.contrast = pixel::Steps::count;
  for (int k = 0; steps && k < pixel::Steps::count; ++k) {
    work.steps.step[k] = (*steps)[static_cast<std::size_t>(k)];
    if (work.steps.step[k].kind == ColourStep::contrast) work.steps.contrast = k;
  }
  return work;
}

struct CutColours : torch::autograd::Function<CutColours> {
  struct Kept : torch::CustomClassHolder {
    launch::ColourWork work;
    explicit Kept(const launch::ColourWork& given) : work(given) {}
  };

  static at::Tensor forward(AutogradContext* context, const at::Tensor& cuts, const at::Tensor& first,
                            const at::Tensor& second, const launch::ColourWork& work) {
    const at::AutoDispatchBelowAutograd below;
    const c10::cuda::CUDAGuard guard(cuts.device());
    const at::Tensor x = cuts.contiguous(), one = first.contiguous(), two = second.contiguous();
    const launch::Cuts shape = cuts_of(x);
    at::Tensor seen = at::empty_like(x), y = work.jitters ? at::empty_like(x) : seen;
    const at::Tensor means = floats({shape.count}, x), sums = floats({shape.count, launch::colour_sums(shape)}, x);
    launch::cut_colours(shape, values_of<float>(x), values_of<float>(one), values_of<float>(two), work,
                        room_in<float>(sums), room_in<float>(seen), room_in<float>(means), room_in<float>(y),
                        stream_of(x));
    check_launch();
    // Without jitter nothing that was seen is wanted again.
    if (work.jitters) context->save_for_backward({seen, means});
    context->saved_data["kept"] = c10::IValue::make_capsule(c10::make_intrusive<Kept>(work));
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor by_y = gradients[0].contiguous();
    const c10::cuda::CUDAGuard guard(by_y.device());
    const auto capsule = context->saved_data["kept"].toCapsule();
    const launch::ColourWork& work = static_cast<const Kept&>(*capsule).work;
    const variable_list saved = context->get_saved_variables();
    const launch::Cuts shape = cuts_of(by_y);
    const at::Tensor seen = work.jitters ? saved[0] : by_y, means = work.jitters ? saved[1] : by_y;
    const at::Tensor sums = floats({shape.count, launch::colour_sums(shape)}, by_y);
    at::Tensor by_x = at::empty_like(by_y);
    launch::cut_colours_backward(shape, values_of<float>(seen), values_of<float>(means), values_of<float>(by_y), work,
                                 room_in<float>(sums), room_in<float>(by_x), stream_of(by_y));
    check_launch();
    return {by_x, {}, {}, {}};
  }
};

/// As whole numbers on the device, copied without waiting.
at::Tensor on_device(const std::vector<CutSquare>& squares, at::Device device) {
  static_assert(sizeof(CutSquare) == 4 * sizeof(std::int32_t));
  const auto count = static_cast<std::int64_t>(squares.size());
  const at::Tensor host = at::empty({count, 4}, at::TensorOptions().dtype(at::kInt).pinned_memory(true));
  std::memcpy(host.mutable_data_ptr(), squares.data(), squares.size() * sizeof(CutSquare));
  return host.to(device, /*non_blocking=*/true);
}

struct ResizedCuts : torch::autograd::Function<ResizedCuts> {
  static launch::Resizes shape_of(const at::Tensor& squares, const at::Tensor& weights, at::IntArrayRef picture) {
    return {squares.size(0), static_cast<int>(weights.size(1)), static_cast<int>(weights.size(2)),
            static_cast<int>(picture[2]), static_cast<int>(picture[3])};
  }
  static launch::ResizeTables tables_in(const at::Tensor& first, const at::Tensor& weights) {
    return {room_in<std::int32_t>(first), room_in<float>(weights)};
  }

  static at::Tensor forward(AutogradContext* context, const at::Tensor& picture, const std::vector<CutSquare>& squares,
                            std::int64_t size) {
    const at::AutoDispatchBelowAutograd below;
    const c10::cuda::CUDAGuard guard(picture.device());
    const at::Tensor x = picture.contiguous(), where = on_device(squares, x.device());
    const auto largest = std::max_element(squares.begin(), squares.end(), [](const CutSquare& a, const CutSquare& b) {
                           return a.side < b.side;
                         })->side;
    const double ratio = std::max(1.0, static_cast<double>(largest) / static_cast<double>(size));
    const auto taps = static_cast<std::int64_t>(std::floor(4 * ratio)) + 1;
    const at::Tensor first = at::empty({where.size(0), size}, where.options());
    const at::Tensor weights = floats({where.size(0), size, taps}, x);
    const launch::Resizes shape = shape_of(where, weights, x.sizes());
    at::Tensor cuts = floats({where.size(0), 3, size, size}, x);
    const auto* in_memory = values_of<CutSquare>(where);
    launch::resize_tables(shape, in_memory, tables_in(first, weights), stream_of(x));
    launch::resize_cuts(shape, in_memory, tables_in(first, weights), values_of<float>(x), room_in<float>(cuts),
                        stream_of(x));
    check_launch();
    context->save_for_backward({where, first, weights});
    context->saved_data["sizes"] = x.sizes().vec();
    return cuts;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor by_cuts = gradients[0].contiguous();
    const c10::cuda::CUDAGuard guard(by_cuts.device());
    const variable_list saved = context->get_saved_variables();
    const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
    at::Tensor by_picture = floats(sizes, by_cuts);
    launch::resize_cuts_backward(shape_of(saved[0], saved[2], sizes), values_of<CutSquare>(saved[0]),
                                 tables_in(saved[1], saved[2]), values_of<float>(by_cuts), room_in<float>(by_picture),
                                 stream_of(by_cuts));
    check_launch();
    return {by_picture, {}, {}};
  }
};

}  // namespace

at::Tensor cut_warp(const at::Tensor& cuts, const at::Tensor& noise, double strength, const CutMap& map, CutWarp warp) {
  return CutWarped::apply(cuts, noise, strength, c10::make_intrusive<CutWarped::Geometry>(map, warp));
}

at::Tensor cut_colours(const at::Tensor& cuts, const at::Tensor& first, const at::Tensor& second, double strength,
                       bool grey, const std::optional<ColourSteps>& steps) {
  return CutColours::apply(cuts, first, second, work_of(strength, grey, steps));
}

at::Tensor resized_cuts(const at::Tensor& picture, const std::vector<CutSquare>& squares, std::int64_t size) {
  if (squares.empty()) return floats({0, 3, size, size}, picture);
  return ResizedCuts::apply(picture, squares, size);
}

}  // namespace disco::cuda

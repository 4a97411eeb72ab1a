// Operators of the networks' layers.
#include "cuda/launch.h"
#include "cuda/launching.h"
#include "cuda/operators.h"

namespace disco::cuda {
namespace {

/// The numbers of a norm as tensors: scale and shift (N,C), {unit, zero} (N,32,2).
struct Norm {
  at::Tensor scale, shift, to_unit;
};

launch::NormPictures shape_of(const at::Tensor& x) {
  launch::NormPictures shape{};
  shape.pictures = x.size(0);
  shape.channels = static_cast<int>(x.size(1));
  shape.rows = x.size(2) * x.size(3);
  shape.chunks = launch::norm_chunks(shape.pictures, shape.rows, shape.channels);
  return shape;
}

launch::NormNumbers numbers_of(const Norm& norm, const at::Tensor& partials) {
  return {room_in<float>(norm.scale), room_in<float>(norm.shift), room_in<float2>(norm.to_unit),
          room_in<float2>(partials)};
}

at::Tensor partials_for(const launch::NormPictures& shape, const at::Tensor& x) {
  return floats({shape.pictures, shape.chunks, launch::NormPictures::groups, 2}, x);
}

/// (N,C) of x's type, its rows without gaps inside.
at::Tensor rows_for(const at::Tensor& numbers, const at::Tensor& x) {
  const at::Tensor same = numbers.to(x.scalar_type());
  return same.stride(1) == 1 ? same : same.contiguous();
}

/// (C) of x's type, without gaps.
at::Tensor values_for(const at::Tensor& of_channels, const at::Tensor& x) {
  return of_channels.to(x.scalar_type()).contiguous();
}

at::Tensor normalised(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift, bool silu,
                      const at::Tensor& before, Norm& norm) {
  const c10::cuda::CUDAGuard guard(x.device());
  const launch::NormPictures shape = shape_of(x);
  norm = {floats({x.size(0), x.size(1)}, x), floats({x.size(0), x.size(1)}, x),
          floats({x.size(0), launch::NormPictures::groups, 2}, x)};
  const at::Tensor partials = partials_for(shape, x), gains = rows_for(gain, x), shifts = rows_for(shift, x);
  const at::Tensor added = before.defined() ? values_for(before, x) : before;
  at::Tensor y = at::empty_like(x);
  by_type(x, [&](auto type) {
    using T = decltype(type);
    const launch::Modulation<T> modulation{values_of<T>(gains), values_of<T>(shifts), gains.stride(0), shifts.stride(0),
                                           added.defined() ? values_of<T>(added) : nullptr};
    launch::group_norm<T>(shape, values_of<T>(x), modulation, numbers_of(norm, partials), silu, room_in<T>(y),
                          stream_of(x));
  });
  check_launch();
  return y;
}

struct GroupNorm : torch::autograd::Function<GroupNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& gain,
                            const at::Tensor& shift, bool silu) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor picture = innermost(x);
    Norm norm;
    at::Tensor y = normalised(picture, gain, shift, silu, {}, norm);
    context->save_for_backward({picture, norm.scale, norm.shift, norm.to_unit});
    context->saved_data["silu"] = silu;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], by_y = innermost(gradients[0]);
    const Norm norm{saved[1], saved[2], saved[3]};
    const c10::cuda::CUDAGuard guard(x.device());
    const launch::NormPictures shape = shape_of(x);
    const at::Tensor partials = partials_for(shape, x), slopes = at::empty_like(norm.to_unit);
    at::Tensor by_x = at::empty_like(x);
    by_type(x, [&](auto type) {
      using T = decltype(type);
      launch::group_norm_backward<T>(shape, values_of<T>(x), values_of<T>(by_y), numbers_of(norm, partials),
                                     context->saved_data["silu"].toBool(), room_in<float2>(slopes), room_in<T>(by_x),
                                     stream_of(x));
    });
    check_launch();
    return {by_x, {}, {}, {}};
  }
};

void write_gate(const at::Tensor& x, double steepness, const at::Tensor& y) {
  const c10::cuda::CUDAGuard guard(x.device());
  by_type(x, [&](auto type) {
    using T = decltype(type);
    launch::gate<T>(values_of<T>(x), x.numel(), static_cast<float>(steepness), room_in<T>(y), stream_of(x));
  });
  check_launch();
}

void write_shifted(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& other, bool relu,
                   const at::Tensor& y) {
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor shifts = values_for(shift, x);
  const at::Tensor beside = other.defined() ? innermost(other.to(x.scalar_type())) : other;
  by_type(x, [&](auto type) {
    using T = decltype(type);
    launch::shifted<T>(values_of<T>(x), x.numel(), static_cast<int>(x.size(1)), values_of<T>(shifts),
                       beside.defined() ? values_of<T>(beside) : nullptr, relu, room_in<T>(y), stream_of(x));
  });
  check_launch();
}

struct Gate : torch::autograd::Function<Gate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double steepness) {
    const at::AutoDispatchBelowAutograd below;
    context->save_for_backward({x});
    context->saved_data["steepness"] = steepness;
    at::Tensor y = at::empty_like(x);
    write_gate(x, steepness, y);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor x = context->get_saved_variables()[0];
    const c10::cuda::CUDAGuard guard(x.device());
    // In x's layout, whatever the gradient's.
    at::Tensor by_y = gradients[0];
    if (by_y.strides() != x.strides()) by_y = at::empty_like(x).copy_(by_y);
    at::Tensor by_x = at::empty_like(x);
    by_type(x, [&](auto type) {
      using T = decltype(type);
      launch::gate_backward<T>(values_of<T>(x), values_of<T>(by_y), x.numel(),
                               static_cast<float>(context->saved_data["steepness"].toDouble()), room_in<T>(by_x),
                               stream_of(x));
    });
    check_launch();
    return {by_x, {}};
  }
};

struct Shifted : torch::autograd::Function<Shifted> {
  /// An undefined tensor cannot be handed to apply(): any stands for `other` where there is none.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& shift,
                            const at::Tensor& other, bool two, bool relu) {
    const at::AutoDispatchBelowAutograd below;
    at::Tensor y = at::empty_like(x);
    write_shifted(x, shift, two ? other : at::Tensor(), relu, y);
    if (relu) context->save_for_backward({y});
    context->saved_data["relu"] = relu;
    context->saved_data["two"] = two;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    at::Tensor by_x = gradients[0];
    if (context->saved_data["relu"].toBool()) {
      by_x = at::threshold_backward(by_x, context->get_saved_variables()[0], 0);
    }
    return {by_x, {}, context->saved_data["two"].toBool() ? by_x : at::Tensor(), {}, {}};
  }
};

/// Three ways between pictures and those of twice their size; each has the other direction as its gradient.
struct ByInterpolation {
  static constexpr bool grows = true;
  template <typename T>
  static void forward(const launch::DoubledPictures& shape, const T* x, T* y, cudaStream_t stream) {
    launch::doubled<T>(shape, x, y, stream);
  }
  template <typename T>
  static void backward(const launch::DoubledPictures& shape, const T* by_y, T* by_x, cudaStream_t stream) {
    launch::doubled_backward<T>(shape, by_y, by_x, stream);
  }
};

struct ByRepetition {
  static constexpr bool grows = true;
  template <typename T>
  static void forward(const launch::DoubledPictures& shape, const T* x, T* y, cudaStream_t stream) {
    launch::fourfold<T>(shape, x, 1, y, stream);
  }
  template <typename T>
  static void backward(const launch::DoubledPictures& shape, const T* by_y, T* by_x, cudaStream_t stream) {
    launch::sums_of_four<T>(shape, by_y, 1, by_x, stream);
  }
};

struct ByMeans {
  static constexpr bool grows = false;
  static constexpr float share = .25f;
  template <typename T>
  static void forward(const launch::DoubledPictures& shape, const T* x, T* y, cudaStream_t stream) {
    launch::sums_of_four<T>(shape, x, share, y, stream);
  }
  template <typename T>
  static void backward(const launch::DoubledPictures& shape, const T* by_y, T* by_x, cudaStream_t stream) {
    launch::fourfold<T>(shape, by_y, share, by_x, stream);
  }
};

template <class Way>
struct Resized : torch::autograd::Function<Resized<Way>> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    const at::AutoDispatchBelowAutograd below;
    context->saved_data["sizes"] = x.sizes().vec();
    const c10::cuda::CUDAGuard guard(x.device());
    const at::Tensor picture = innermost(x);
    const auto resized = [](std::int64_t side) { return Way::grows ? 2 * side : side / 2; };
    at::Tensor y = at::empty({x.size(0), x.size(1), resized(x.size(2)), resized(x.size(3))},
                             x.options().memory_format(at::MemoryFormat::ChannelsLast));
    by_type(x, [&](auto type) {
      using T = decltype(type);
      Way::template forward<T>(smaller(x.sizes()), values_of<T>(picture), room_in<T>(y), stream_of(x));
    });
    check_launch();
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor by_y = innermost(gradients[0]);
    const c10::cuda::CUDAGuard guard(by_y.device());
    const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
    at::Tensor by_x = at::empty(sizes, by_y.options().memory_format(at::MemoryFormat::ChannelsLast));
    by_type(by_y, [&](auto type) {
      using T = decltype(type);
      Way::template backward<T>(smaller(sizes), values_of<T>(by_y), room_in<T>(by_x), stream_of(by_y));
    });
    check_launch();
    return {by_x};
  }

 private:
  /// `sizes` are x's.
  static launch::DoubledPictures smaller(at::IntArrayRef sizes) {
    const std::int64_t parts = Way::grows ? 1 : 2;
    return {sizes[0], sizes[2] / parts, sizes[3] / parts, sizes[1]};
  }
};

bool recorded(const at::Tensor& x) { return at::GradMode::is_enabled() && x.requires_grad(); }

}  // namespace

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift, bool silu,
                      const at::Tensor& before) {
  if (recorded(x)) {
    if (before.defined()) throw Error("a norm that adds something first has no gradient");
    return GroupNorm::apply(x, gain, shift, silu);
  }
  const at::NoGradGuard no_gradient;
  Norm norm;
  return normalised(innermost(x), gain, shift, silu, before, norm);
}

at::Tensor gate(const at::Tensor& fresh, double steepness) {
  if (recorded(fresh)) return Gate::apply(fresh, steepness);
  write_gate(fresh, steepness, fresh);
  return fresh;
}

at::Tensor shifted(const at::Tensor& fresh, const at::Tensor& shift, const at::Tensor& other, bool relu) {
  const std::int64_t vector = 16 / fresh.element_size();
  if (!fresh.is_contiguous(at::MemoryFormat::ChannelsLast) || fresh.size(1) % vector != 0) {
    at::Tensor sum = fresh + shift.view({1, -1, 1, 1});
    if (other.defined()) sum = sum + other;
    return relu ? at::relu(sum) : sum;
  }
  const bool two = other.defined();
  if (recorded(fresh) || (two && recorded(other))) return Shifted::apply(fresh, shift, two ? other : shift, two, relu);
  write_shifted(fresh, shift, other, relu, fresh);
  return fresh;
}

at::Tensor doubled(const at::Tensor& x) { return Resized<ByInterpolation>::apply(x); }

at::Tensor halved(const at::Tensor& x) { return Resized<ByMeans>::apply(x); }

at::Tensor repeated(const at::Tensor& x) { return Resized<ByRepetition>::apply(x); }

at::Tensor noise(std::uint64_t seed, std::uint32_t number, at::IntArrayRef sizes, at::Device device) {
  at::Tensor values = at::empty(sizes, at::TensorOptions().dtype(at::kFloat).device(device));
  const c10::cuda::CUDAGuard guard(values.device());
  launch::normal_noise(seed, number, values.numel(), room_in<float>(values), stream_of(values));
  check_launch();
  return values;
}

}  // namespace disco::cuda

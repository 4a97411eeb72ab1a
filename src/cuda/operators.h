// The kernels as differentiable operators of LibTorch. kernels/gpu.h says what each does.
#pragma once

#include "kernels/gpu.h"

namespace disco::cuda {

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift, bool silu,
                      const at::Tensor& before);
at::Tensor gate(const at::Tensor& fresh, double steepness);
at::Tensor shifted(const at::Tensor& fresh, const at::Tensor& shift, const at::Tensor& other, bool relu);
at::Tensor doubled(const at::Tensor& x);
at::Tensor halved(const at::Tensor& x);
at::Tensor repeated(const at::Tensor& x);
at::Tensor noise(std::uint64_t seed, std::uint32_t number, at::IntArrayRef sizes, at::Device device);

at::Tensor cut_warp(const at::Tensor& cuts, const at::Tensor& noise, double strength, const CutMap& map, CutWarp warp);
at::Tensor cut_colours(const at::Tensor& cuts, const at::Tensor& first, const at::Tensor& second, double strength,
                       bool grey, const std::optional<ColourSteps>& steps);
at::Tensor resized_cuts(const at::Tensor& picture, const std::vector<CutSquare>& squares, std::int64_t size);

std::unique_ptr<Recorded> record(const std::vector<at::Tensor>& examples, const Recordable& work);
std::unique_ptr<RecordedWithGradient> record_with_gradient(const std::vector<at::Tensor>& examples,
                                                           const Recordable& work);

}  // namespace disco::cuda

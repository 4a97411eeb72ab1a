// Pictures as tensors in [-1, 1], and the resizes that the original uses.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "picture/picture.h"

namespace disco {

/// (1,3,H,W) float32 in [-1,1]: v/127.5 − 1 of the RGB samples. Grey is spread over three channels, alpha is dropped.
at::Tensor to_tensor(const Picture& picture);
/// floor(255·clamp((x+1)/2, 0, 1)) of a (1,3,H,W) or (3,H,W) tensor, not rounded, as 5.7 writes it. NaN becomes 0.
Picture to_picture(const at::Tensor& x);
/// Its two halves: samples (H,W,3) where x lies, so that bytes travel and not floats; and the picture of them.
at::Tensor picture_bytes(const at::Tensor& x);
Picture picture_of(const at::Tensor& bytes);

/// PIL's Lanczos resize of 8-bit pictures, to the bit: two passes with 22-bit fixed-point weights, horizontal first (as
/// Pillow did up to version 12); pictures with alpha are resized with premultiplied colours. Throws Error when a side
/// is not positive.
Picture resize_lanczos(const Picture& picture, int width, int height);

/// ResizeRight (Shocher), cubic, antialiased: GUIDED-STEP "Cutouts". x is (N,C,H,W); differentiable. The axis that
/// shrinks more goes first; an axis that keeps its size is left alone.
at::Tensor resize_right(const at::Tensor& x, std::int64_t height, std::int64_t width);
/// The (out, in) matrix of one axis of resize_right(), float32, on the CPU; cached by size. Rows sum to 1 where all
/// taps lie inside, to less near the borders. Not to be written to.
at::Tensor resize_right_matrix(std::int64_t in, std::int64_t out);

}  // namespace disco

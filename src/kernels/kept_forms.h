// A layer's weight in the forms that kernels read, made once.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <array>
#include <cstddef>
#include <mutex>

namespace disco {

/// For layers of few rows or pixels, where laying a weight out takes as long as multiplying by it. Forms are made at
/// first use and live as long as this does; the weight must not change meanwhile. Several threads may ask at once.
/// Where memory is short, `keeps` is false, and they are made at each use: the same kernels give the same bits.
class KeptForms final : public torch::CustomClassHolder {
 public:
  explicit KeptForms(bool keeps = true) : keeps_(keeps) {}

  enum class Form { winograd, winograd_adjoint, columns, columns_adjoint, points_adjoint, rows, rows_adjoint };

  /// What make() gives, or gave the first time.
  template <typename Make>
  at::Tensor get(Form form, const Make& make) {
    if (!keeps_) return make();
    const std::lock_guard lock(mutex_);
    at::Tensor& kept = forms_[static_cast<std::size_t>(form)];
    if (!kept.defined()) kept = make();
    return kept;
  }

 private:
  const bool keeps_;
  std::mutex mutex_;
  std::array<at::Tensor, 7> forms_;
};
using KeptFormsPtr = c10::intrusive_ptr<KeptForms>;

}  // namespace disco

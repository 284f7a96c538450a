// The golden files of this folder as tensors, and how close a result is to them.
#pragma once

#include <cstring>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "frgan/io/safetensors.h"

namespace frgan {

// One file by its name without ending; real numbers come in double precision.
//
//   const GoldenFile golden("layers");
//   EXPECT_TRUE(close_to(y, golden["conv_same.y"], 1e-12));
class GoldenFile {
 public:
  explicit GoldenFile(const std::string& name)
      : file_(read_safetensors(fmt::format("{}/tests/golden/{}.safetensors", FRGAN_SOURCE_DIR, name))) {}

  at::Tensor operator[](const std::string& name) const {
    const TensorView& view = file_.tensor(name);
    const at::Tensor tensor = at::empty(view.shape, at::TensorOptions().dtype(type_of(view.dtype)));
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    return tensor.is_floating_point() ? tensor.to(at::kDouble) : tensor;
  }
  bool contains(const std::string& name) const { return file_.tensors().contains(name); }

 private:
  static at::ScalarType type_of(DType dtype) {
    switch (dtype) {
      case DType::kF64:
        return at::kDouble;
      case DType::kF32:
        return at::kFloat;
      case DType::kI64:
        return at::kLong;
      case DType::kU8:
        return at::kByte;
      default:
        throw std::runtime_error(fmt::format("golden files hold no {}", dtype_name(dtype)));
    }
  }

  SafetensorsFile file_;
};

// Whether shapes are equal and no number is off by more than `tolerance` of the largest expected one.
inline ::testing::AssertionResult close_to(const at::Tensor& found, const at::Tensor& expected, double tolerance) {
  if (!found.defined()) return ::testing::AssertionFailure() << "undefined";
  if (found.sizes() != expected.sizes()) {
    return ::testing::AssertionFailure() << "shape " << found.sizes() << ", expected " << expected.sizes();
  }
  if (found.numel() == 0) return ::testing::AssertionSuccess();
  const at::Tensor wanted = expected.detach().to(at::kCPU, at::kDouble);
  const double off = (found.detach().to(at::kCPU, at::kDouble) - wanted).abs().max().item<double>();
  const double largest = wanted.abs().max().item<double>();
  if (off <= tolerance * largest + 1e-15) return ::testing::AssertionSuccess();  // not so for NaN
  return ::testing::AssertionFailure() << fmt::format("off by {:.3g} where the largest is {:.3g}", off, largest);
}

}  // namespace frgan

// Reads the golden files of this folder as tensors, and compares results with them.
#pragma once

#include <cstring>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "frgan/io/safetensors.h"

namespace frgan {

// A golden file, given by its name without extension. Floating-point tensors are returned in double precision.
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
        throw std::runtime_error(fmt::format("unsupported type in a golden file: {}", dtype_name(dtype)));
    }
  }

  SafetensorsFile file_;
};

// Succeeds if the shapes are equal and no element differs by more than `tolerance` times the largest expected
// magnitude.
inline ::testing::AssertionResult close_to(const at::Tensor& found, const at::Tensor& expected, double tolerance) {
  if (!found.defined()) return ::testing::AssertionFailure() << "undefined tensor";
  if (found.sizes() != expected.sizes()) {
    return ::testing::AssertionFailure() << "shape " << found.sizes() << ", expected " << expected.sizes();
  }
  if (found.numel() == 0) return ::testing::AssertionSuccess();
  const at::Tensor wanted = expected.detach().to(at::kCPU, at::kDouble);
  const double error = (found.detach().to(at::kCPU, at::kDouble) - wanted).abs().max().item<double>();
  const double largest = wanted.abs().max().item<double>();
  if (error <= tolerance * largest + 1e-15) return ::testing::AssertionSuccess();  // false for NaN
  return ::testing::AssertionFailure() << fmt::format("error {:.3g}; the largest expected magnitude is {:.3g}", error,
                                                      largest);
}

}  // namespace frgan

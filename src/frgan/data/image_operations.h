// Operations on uint8 images for strong augmentation: those of RandAugment, and cutout (FixMatch, Tables 11 and 12).
//
// The results have the same bytes as those of Pillow 9.4 and 13.0 on x86-64, in mode L for one channel and RGB for
// three. Pillow for ARM may round differently, because its compiler may fuse a product and a sum. Pillow has no cutout;
// ours is that of FixMatch's program, extended to odd sides.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace frgan {

// The values are stored in tensors: append new operations, and never renumber.
enum class ImageOperation : int32_t {
  kIdentity = 0,
  kAutoContrast = 1,
  kBrightness = 2,
  kColor = 3,
  kContrast = 4,
  kEqualize = 5,
  kPosterize = 6,
  kRotate = 7,
  kSharpness = 8,
  kShearX = 9,
  kShearY = 10,
  kSolarize = 11,
  kTranslateX = 12,
  kTranslateY = 13,
  kInvert = 14,
  kCutout = 15,
};

struct OperationInfo {
  ImageOperation operation;
  std::string_view name;
  double low, high;            // the range of magnitudes in FixMatch's Table 12; both 0 without a magnitude
  double least, most;          // the magnitudes that a policy may have
  std::string_view magnitude;  // what the magnitude means, with its unit; empty without a magnitude

  bool is_signed() const { return low < 0; }  // the range is symmetric
};

// All operations; the one at index i has the value i.
std::span<const OperationInfo> image_operations();

// n operations for each of N images. Operation j of image i is codes[i][j], with magnitudes[i][j]. Pixels from outside
// the image are gray (127).
struct ImageOperations {
  at::Tensor codes;       // int32, N x n; values of ImageOperation; all others change nothing
  at::Tensor magnitudes;  // float, N x n; rotations are clamped to -360 to 360, others to -8 to 8; NaN counts as 0
  at::Tensor positions;  // float, N x n x 2; the center (x / W, y / H) of cutout, clamped to the image; NaN counts as 0
};

// Applies operations on the CPU to one image at a time.
class OperationLoop {
 public:
  // `images` is their shape N x H x W x C: 1 to 1024 pixels a side, 1 or 3 channels. Throws a c10::Error for other
  // shapes, types or devices.
  OperationLoop(const ImageOperations& operations, at::IntArrayRef images);
  // Changes the image with this index (0 to N - 1) in place. `buffer` is for intermediate results. Both have the
  // image's size. Thread-safe.
  void apply(int64_t index, uint8_t* image, uint8_t* buffer) const;

 private:
  ImageOperations operations_;
  int64_t height_, width_, channels_;
};

// Applies the operations with LibTorch operators, on any device, to images (uint8, N x H x W x C). Returns new images.
// It computes every operation for all images, so it reads nothing back. The bytes are those of OperationLoop, except
// with probability below 1e-8 for a rotation: its matrix may differ in the last bits of a double before it is rounded
// to multiples of 1 / 65536.
at::Tensor apply_operations_by_operators(const at::Tensor& images, const ImageOperations& operations);

}  // namespace frgan

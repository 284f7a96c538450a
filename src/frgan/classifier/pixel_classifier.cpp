#include "frgan/classifier/pixel_classifier.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/methods/logistic_regression.h"

namespace frgan {
namespace {

constexpr int64_t kImagesAtOnce = 256;
// Penalty of the weights. On SVHN with 1,000 labels, the error changes by less than a point between 10 and 1,000.
constexpr double kL2 = 30;

// Float N x (C x 8 x 8) in [-1, 1] on the CPU.
at::Tensor small_pixels(const at::Tensor& images) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : images.split(kImagesAtOnce)) {
    const at::Tensor pixels = part.cpu().permute({0, 3, 1, 2}).to(at::kFloat);
    parts.push_back(at::adaptive_avg_pool2d(pixels, {PixelClassifier::kSide, PixelClassifier::kSide}).flatten(1));
  }
  return at::cat(parts) / 127.5 - 1;
}

}  // namespace

std::vector<int64_t> PixelClassifier::predict(const at::Tensor& images) const {
  if (images.size(0) == 0) return {};
  const torch::NoGradGuard no_grad;
  const at::Tensor classes = at::addmm(bias, small_pixels(images), weight.t()).argmax(1);
  return {classes.data_ptr<int64_t>(), classes.data_ptr<int64_t>() + classes.numel()};
}

PixelClassifier fit_pixel_classifier(const at::Tensor& images, const at::Tensor& labels, int64_t classes) {
  const torch::NoGradGuard no_grad;
  const at::Tensor pixels = small_pixels(images).to(at::kDouble);
  const double scale = features_scale(pixels);
  const LinearClassifier found = fit_logistic_regression(pixels / scale, labels, classes, kL2);
  return {(found.weight / scale).to(at::kFloat), found.bias.to(at::kFloat)};
}

NamedTensors tensors_of(const PixelClassifier& classifier) {
  return {{"pixels.weight", classifier.weight}, {"pixels.bias", classifier.bias}};
}

std::optional<PixelClassifier> read_pixel_classifier(const Checkpoint& checkpoint) {
  const NamedTensors saved = read_optional_tensors(checkpoint, kBaseline);
  if (saved.empty()) return std::nullopt;
  const ImageShape& shape = checkpoint.state.shape;
  const int64_t pixels = shape.channels * PixelClassifier::kSide * PixelClassifier::kSide;
  PixelClassifier classifier{at::zeros({shape.classes, pixels}), at::zeros({shape.classes})};
  copy_named(tensors_of(classifier), saved, fmt::format("{}/{}", checkpoint.path.string(), kBaseline));
  return classifier;
}

}  // namespace frgan

#include "app/random_training.h"

#include <algorithm>
#include <utility>

#include <torch/types.h>

#include "frgan/classifier/inference.h"

namespace frgan {
namespace {

constexpr uint64_t kSeed = 1;

BatchStream random_batches(int64_t images, at::Device device, const Augmentation& augmentation,
                           const std::string& noise_range) {
  constexpr int64_t kLabeled = 1000, kClasses = 10, kSize = 32, kChannels = 3;
  at::manual_seed(kSeed);
  const ImageSet train{at::randint(256, {images, kSize, kSize, kChannels}, at::kByte),
                       at::randint(kClasses, {images}, at::kLong)};
  LabelSplit split;
  split.train_images = images;
  for (int64_t row = 0; row < std::min(kLabeled, images); ++row) split.labeled.push_back(row);
  return BatchStream(train.to(device), split,
                     {.augmentation = augmentation, .noise_range = noise_range, .seed = kSeed});
}

Problem built(Method& method, Precision precision, at::Device device) {
  const Problem problem{.shape = {}, .seed = kSeed, .precision = precision, .device = device};
  method.build(problem);
  return problem;
}

}  // namespace

RandomTraining::RandomTraining(std::unique_ptr<Method> method, Precision precision, at::Device device,
                               const Augmentation& augmentation, int64_t images)
    : method_(std::move(method)),
      precision_(precision),
      batches_(random_batches(images, device, augmentation, method_->noise_range())),
      trainer_(
          *method_, built(*method_, precision, device),
          [this](const BatchRequest& request, uint64_t draw, uint64_t part) {
            return batches_.next(request, draw, part);
          },
          /*planned_steps=*/1'000'000) {
  trainer_.initialize();
}

void RandomTraining::classify(const at::Tensor& images) {
  class_probabilities(trainer_.classifier(), images, precision_);
}

int64_t RandomTraining::images_per_step() const {
  int64_t images = 0;
  for (const Phase& phase : trainer_.stage().phases) images += phase.repeat * images_of(phase.batch);
  return images;
}

}  // namespace frgan

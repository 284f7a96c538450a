// A method in training on random images: gathering, augmentation and training take as long as with real ones.
#pragma once

#include <cstdint>
#include <memory>

#include "frgan/data/augment.h"
#include "frgan/data/batch_stream.h"
#include "frgan/methods/method.h"
#include "frgan/train/trainer.h"

namespace frgan {

class RandomTraining {
 public:
  // Builds the method, whose options are set, for `images` images of 32x32 in 10 classes, of which a thousand (or
  // all) show their labels; and runs the data-dependent pass.
  RandomTraining(std::unique_ptr<Method> method, Precision precision, at::Device device,
                 const Augmentation& augmentation, int64_t images);
  RandomTraining(const RandomTraining&) = delete;
  RandomTraining& operator=(const RandomTraining&) = delete;

  void step() { trainer_.step(); }
  // Until the device has done all steps so far.
  void wait() { trainer_.take_losses(); }
  // As evaluate and predict do: uint8 images N x 32 x 32 x 3 through the averaged weights.
  void classify(const at::Tensor& images);
  const Method& method() const { return *method_; }
  int64_t images_per_step() const;  // that enter a network

 private:
  std::unique_ptr<Method> method_;
  Precision precision_;
  BatchStream batches_;
  Trainer trainer_;
};

}  // namespace frgan

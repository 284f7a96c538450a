// What the host decides about a batch before the device computes it.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/data/augment.h"

namespace frgan {

// The images of one draw.
struct DrawPlan {
  at::Tensor rows;                      // N, int64: rows in the training set
  at::Tensor labels;                    // N, int64
  std::vector<AugmentationPlan> views;  // in the order of the request
  uint64_t noise_key = 0;
};

// A batch as plain numbers. Everything that varies from pass to pass is in its tensors and keys.
struct BatchPlan {
  std::vector<DrawPlan> draws;
  uint64_t noise_key = 0, dropout_key = 0;
  at::Tensor scalars;           // values of the schedules, set by the trainer
  uint64_t draw = 0, part = 0;  // which batch this is

  // All tensors, in a fixed order.
  std::vector<at::Tensor*> tensors() {
    std::vector<at::Tensor*> all{&scalars};
    for (DrawPlan& images : draws) {
      all.insert(all.end(), {&images.rows, &images.labels});
      for (AugmentationPlan& view : images.views) {
        for (at::Tensor* tensor : view.tensors()) all.push_back(tensor);
      }
    }
    return all;
  }
};

}  // namespace frgan

// What a method asks of the batch stream, and what it gets.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Where the uniform noise of a generator begins that goes up to 1 (A16): "symmetric" from -1, "unit" from 0.
inline double lowest_noise(std::string_view range) {
  return range == "unit" ? 0 : -1;
}

// The images and noise that one pass of a phase needs.
struct BatchRequest {
  int64_t labeled = 0;           // images with labels
  int64_t labeled_branches = 1;  // independently augmented views of each
  int64_t unlabeled = 0;         // images whose labels are not looked at
  int64_t branches = 1;          // independently augmented views of the same unlabeled images
  uint64_t stream = 0;           // which permutation of the images; feature matching uses a second one (A27)
  int64_t noise = 0;             // vectors of generator noise
  int64_t noise_size = 100;      // length of one
};

// Images that enter a network: each view of an image, and each generated one.
inline int64_t images_of(const BatchRequest& batch) {
  return batch.labeled * batch.labeled_branches + batch.unlabeled * batch.branches + batch.noise;
}

// Images are float (or double), N x C x H x W with channels-last strides, normalised to [-1, 1], on the training
// device.
struct Batch {
  std::vector<at::Tensor> labeled;    // one N_l x C x H x W per branch
  at::Tensor labels;                  // N_l, int64, 0..K-1
  at::Tensor labeled_rows;            // N_l, int64: rows of the training set
  std::vector<at::Tensor> unlabeled;  // one N_u x C x H x W per branch
  at::Tensor unlabeled_rows;          // N_u, int64
  at::Tensor unlabeled_labels;        // N_u, int64; -1 where the label is hidden (for the mixed batch of A13 only)
  at::Tensor noise;                   // N_z x noise_size, uniform in the method's range
  uint64_t dropout_key = 0;           // of this pass; layers mix in their own number
};

}  // namespace frgan

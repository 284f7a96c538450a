// The request of a training method to the batch stream, and the batch that answers it.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Distribution of the generator's noise (A16).
enum class NoiseRange {
  kSymmetric,  // U[-1, 1]
  kUnit,       // U[0, 1]
};

// Lower end of the noise; the upper end is 1.
inline double lowest_noise(NoiseRange range) {
  return range == NoiseRange::kUnit ? 0 : -1;
}

// Numbers of images and noise vectors for one pass of a training phase.
struct BatchRequest {
  int64_t labeled = 0;           // labeled images
  int64_t labeled_branches = 1;  // independently augmented views of each labeled image
  int64_t unlabeled = 0;         // images whose labels are ignored
  int64_t branches = 1;          // independently augmented views of each unlabeled image
  uint64_t stream = 0;           // selects the permutation of the images; feature matching uses a second one (A27)
  int64_t noise = 0;             // noise vectors for the generator
  int64_t noise_size = 100;      // length of a noise vector
};

// Number of images that enter a network. Every view of an image counts, and every generated image.
inline int64_t images_of(const BatchRequest& batch) {
  return batch.labeled * batch.labeled_branches + batch.unlabeled * batch.branches + batch.noise;
}

// Images are float or double, N x C x H x W with channels-last strides, normalized to [-1, 1], on the training device.
struct Batch {
  std::vector<at::Tensor> labeled;    // one N_l x C x H x W per branch
  at::Tensor labels;                  // N_l, int64, 0..K-1
  at::Tensor labeled_rows;            // N_l, int64: rows in the training set
  std::vector<at::Tensor> unlabeled;  // one N_u x C x H x W per branch
  at::Tensor unlabeled_rows;          // N_u, int64
  at::Tensor unlabeled_labels;        // N_u, int64; -1 if hidden; only for the mixed batch (A13)
  at::Tensor noise;                   // N_z x noise_size, uniform in the method's noise range
  at::Tensor updates;                 // 0-dim: earlier passes of this phase, set by the trainer
  uint64_t dropout_key = 0;           // dropout seed of this pass; each layer mixes in its own number
};

}  // namespace frgan

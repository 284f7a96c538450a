// The images, labels and noise of every training pass, as a pure function of the position in the training.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/data/augment.h"
#include "frgan/data/batch_plan.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_split.h"
#include "frgan/device/batch.h"
#include "frgan/device/random.h"

namespace frgan {

struct BatchStreamOptions {
  Policies policies = {};             // of the views; built_in_policies() has those that are missing
  at::ScalarType dtype = at::kFloat;  // of images and noise; kFloat or kDouble
  uint64_t seed = 0;
};

// Draws batches from a training set on the training device. Images are drawn without replacement. Each pass over the N
// images is a new permutation, a function of (seed, stream, pass). With batches of m images, the last N mod m images of
// a pass are left out (A27). If N < m, consecutive permutations are concatenated.
//
//   BatchStream batches(data.train.to(device), split, {.seed = 1});
//   const BatchPlan plan = batches.plan(request, step * repeat + repetition, phase);
//   const Batch batch = batches.gather(request, plan);
class BatchStream {
 public:
  BatchStream(ImageSet train, const LabelSplit& split, BatchStreamOptions options);

  // Plans batch number `draw` of a phase, counted from 0, on the host. The result depends only on the arguments, so
  // calls may come in any order. `part` distinguishes the phases of one step: with equal draw and order they get the
  // same rows, but different augmentation, noise and dropout.
  BatchPlan plan(const BatchRequest& request, uint64_t draw, uint64_t part);
  // Computes the planned batch on the device of the training set. The tensors of the plan must be there. Does not wait
  // for the device.
  Batch gather(const BatchRequest& request, const BatchPlan& plan) const;
  // Both.
  Batch next(const BatchRequest& request, uint64_t draw, uint64_t part);

  // The features that a view shows (is_feature_view): N x F, a row for each training image, on the device of the
  // images.
  void set_features(const std::string& view, at::Tensor features) { features_[view] = std::move(features); }
  // The augmentation policy of a view.
  const Augmentation& policy(const std::string& view) const;
  // The training rows of a pool.
  const std::vector<int64_t>& rows_of(Pool pool) const;

  // Number of images of Pool::kAll: the kept ones (LabelSplit::kept), or all but the development images.
  int64_t all_images() const { return static_cast<int64_t>(all_.size()); }
  int64_t labeled_images() const { return static_cast<int64_t>(labeled_.size()); }
  // Steps per epoch with m = `batch` of all images per batch: floor(N / m), at least 1.
  int64_t steps_per_epoch(double batch) const;

 private:
  struct Pass {
    uint64_t number = 0;
    at::Tensor order;
  };

  DrawPlan plan_images(const Draw& request, uint64_t draw, uint64_t augmentation_key, uint64_t first_view);
  at::Tensor noise(const NoiseRequest& request, uint64_t key) const;
  at::Tensor draw_rows(const std::vector<int64_t>& set, Stream stream, uint64_t number, int64_t count, uint64_t draw);
  const int64_t* order_of_pass(Stream stream, uint64_t number, uint64_t pass, int64_t size);
  at::Tensor seen_labels(const at::Tensor& rows) const;

  ImageSet train_;
  std::map<std::string, at::Tensor> features_;  // of each view
  BatchStreamOptions options_;
  std::vector<int64_t> labeled_, unlabeled_, all_;  // rows of each pool
  std::vector<int64_t> seen_labels_;  // label shown to the training, for each training row; -1 if unlabeled
  std::map<std::pair<Stream, uint64_t>, Pass> passes_;  // latest pass of each stream
};

}  // namespace frgan

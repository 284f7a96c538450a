// The images, labels and noise of every training pass, as a pure function of where training stands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/core/batch.h"
#include "frgan/core/random.h"
#include "frgan/data/augment.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_split.h"

namespace frgan {

struct BatchStreamOptions {
  Augmentation augmentation = {};         // of every labeled and unlabeled image (A25)
  std::string noise_range = "symmetric";  // "symmetric" U[-1, 1], "unit" U[0, 1] (A16), "" without
  at::ScalarType dtype = at::kFloat;      // of images and noise; or double
  uint64_t seed = 0;
};

// Draws batches from a training set that lies on the training device. Images are drawn without replacement: each pass
// over them is a new permutation, a function of (seed, stream, pass), and the last N mod m of a pass are left out
// (A27). Where there are fewer images than the batch asks for, permutations follow one another without a gap.
//
//   BatchStream batches(data.train.to(device), split, {.seed = 1});
//   Batch batch = batches.next(request, step * repeat + repetition, phase);
class BatchStream {
 public:
  BatchStream(ImageSet train, const LabelSplit& split, BatchStreamOptions options);

  // The batch of a phase that took `draw` batches before it. The result depends on the arguments alone: calls may come
  // in any order. `part` tells apart phases that ask in the same step: they see the same rows under the same draw and
  // stream, with other augmentation, noise and dropout. Waits for no device.
  Batch next(const BatchRequest& request, uint64_t draw, uint64_t part);

  // Images that may be drawn as unlabeled: all but the development images.
  int64_t unlabeled_images() const { return static_cast<int64_t>(unlabeled_.size()); }
  int64_t labeled_images() const { return static_cast<int64_t>(labeled_.size()); }
  // Steps of an epoch with that many unlabeled images a batch: floor(N / m), at least 1.
  int64_t steps_per_epoch(int64_t batch) const;

 private:
  struct Pass {
    uint64_t number = 0;
    at::Tensor order;
  };

  at::Tensor draw_rows(const std::vector<int64_t>& set, Stream stream, uint64_t number, int64_t count, uint64_t draw);
  const int64_t* order_of_pass(Stream stream, uint64_t number, uint64_t pass, int64_t size);
  at::Tensor seen_labels(const at::Tensor& rows) const;

  ImageSet train_;
  BatchStreamOptions options_;
  std::vector<int64_t> labeled_;
  std::vector<int64_t> unlabeled_;
  std::vector<int64_t> seen_labels_;  // of each training row; -1 where the label is not among the labeled
  std::map<std::pair<Stream, uint64_t>, Pass> passes_;  // the latest pass of each stream
};

}  // namespace frgan

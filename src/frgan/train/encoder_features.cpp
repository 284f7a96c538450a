#include "frgan/train/encoder_features.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <torch/types.h>

#include "frgan/classifier/inference.h"
#include "frgan/data/augment.h"
#include "frgan/device/random.h"

namespace frgan {
namespace {

constexpr int64_t kImagesPerChange = 64;       // augmented at once; changes depend on it
constexpr uint64_t kFeaturesPart = 1'000'000;  // no phase has this number

// The rows of the training set whose features each view shows.
std::map<std::string, std::set<int64_t>> rows_of_views(const BatchStream& batches, const std::vector<Stage>& stages) {
  std::map<std::string, std::set<int64_t>> rows;
  for (const Stage& stage : stages) {
    for (const Phase& phase : stage.phases) {
      for (const Draw& draw : phase.batch.draws) {
        const std::vector<int64_t>& of_pool = batches.rows_of(draw.pool);
        for (const std::string& view : draw.views) {
          if (is_feature_view(view)) rows[view].insert(of_pool.begin(), of_pool.end());
        }
      }
    }
  }
  return rows;
}

}  // namespace

void set_encoder_features(BatchStream& batches, const Network& encoder, const ImageSet& train,
                          const std::vector<Stage>& stages, const Problem& problem) {
  for (const auto& [view, rows] : rows_of_views(batches, stages)) {
    const at::Tensor index = at::tensor(std::vector<int64_t>(rows.begin(), rows.end()), at::kLong);
    at::Tensor features;  // N x F on the device
    for (int64_t first = 0; first < index.size(0); first += kImagesPerChange) {
      const at::Tensor some = index.slice(0, first, first + kImagesPerChange);
      const uint64_t key = random_key(problem.seed, Stream::kAugmentation, static_cast<uint64_t>(first), kFeaturesPart);
      const at::Tensor images = view == kFeatureView
                                    ? train.images.index_select(0, some)
                                    : to_pixels(augmented(train.images, some, batches.policy(view), key, at::kFloat));
      const at::Tensor found = classify(encoder, images, problem.precision).features;
      if (!features.defined()) features = torch::zeros({train.size(), found.size(1)}, found.options());
      features.index_copy_(0, some.to(found.device()), found);
    }
    batches.set_features(view, features);
  }
}

}  // namespace frgan

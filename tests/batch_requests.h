// Short requests for batches, and the parts of a batch, for tests.
#pragma once

#include <string>
#include <vector>

#include "frgan/device/batch.h"

namespace frgan {

// Labeled images and images of the whole training set, each with a number of views, and noise.
struct ShortRequest {
  int64_t labeled = 0, labeled_views = 1;
  int64_t all = 0, views = 1;
  uint64_t order = 0;
  int64_t noise = 0, noise_size = 100;

  operator BatchRequest() const {
    const auto weak = [](int64_t count) { return std::vector<std::string>(static_cast<size_t>(count), kWeakPolicy); };
    BatchRequest request{.noise = {.count = noise, .size = noise_size}};
    if (labeled > 0) request.draws.push_back({Pool::kLabeled, labeled, weak(labeled_views), order});
    if (all > 0) request.draws.push_back({Pool::kAll, all, weak(views), order});
    return request;
  }
};

inline const DrawnImages& labeled_of(const Batch& batch) {
  return batch.from(Pool::kLabeled);
}
inline const DrawnImages& all_of(const Batch& batch) {
  return batch.from(Pool::kAll);
}

// The number of images, and the number of views, that a request has of a pool; 0 without such a draw.
inline int64_t count_of(const BatchRequest& request, Pool pool) {
  for (const Draw& draw : request.draws) {
    if (draw.pool == pool) return draw.count;
  }
  return 0;
}
inline size_t views_of(const BatchRequest& request, Pool pool) {
  for (const Draw& draw : request.draws) {
    if (draw.pool == pool) return draw.views.size();
  }
  return 0;
}

}  // namespace frgan

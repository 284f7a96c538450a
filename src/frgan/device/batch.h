// The request of a training method to the batch stream, and the batch that answers it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// A set of training images. The development images belong to none.
enum class Pool {
  kLabeled,    // those with a label
  kUnlabeled,  // those without
  kAll,        // both
};

// Names of augmentation policies (data/augment.h).
inline constexpr const char* kWeakPolicy = "weak";      // --augmentation
inline constexpr const char* kStrongPolicy = "strong";  // --strong-augmentation
inline constexpr const char* kNoisePolicy = "noise";    // Gaussian noise with the deviation of Laine and Aila 2017
inline constexpr const char* kNoPolicy = "none";
// Not policies: the features of the image, and those of one view of it with the policy that follows the colon. A frozen
// network computed them before the training (Method::encoder). Without features, the view is the image itself.
inline constexpr const char* kFeatureView = "features:none";
inline constexpr const char* kStrongFeatureView = "features:strong";
inline constexpr std::string_view kFeaturesOf = "features:";

inline bool is_feature_view(std::string_view view) {
  return view.starts_with(kFeaturesOf);
}
// The augmentation policy of a view: the view itself, or the part after the colon.
inline std::string policy_of_view(std::string_view view) {
  return std::string(is_feature_view(view) ? view.substr(kFeaturesOf.size()) : view);
}

// Images of one pool, drawn without replacement.
struct Draw {
  Pool pool = Pool::kAll;
  int64_t count = 0;
  std::vector<std::string> views{
      kWeakPolicy};    // the augmentation policy of each view; views are independent of each other
  uint64_t order = 0;  // selects the permutation; feature matching uses a second one (A27)
  int64_t noise = 0;   // standard normal numbers for each image, such as those that sample a latent variable
};

// Distribution of noise vectors (A16).
enum class NoiseKind {
  kSymmetric,  // uniform, -1 to 1
  kUnit,       // uniform, 0 to 1
  kNormal,     // mean 0, standard deviation 1
};

struct NoiseRequest {
  int64_t count = 0;   // vectors
  int64_t size = 100;  // numbers in a vector
  NoiseKind kind = NoiseKind::kSymmetric;
};

// What one pass of a training phase needs.
struct BatchRequest {
  std::vector<Draw> draws{};
  NoiseRequest noise{};
};

// Number of images that enter a network. Every view of an image counts, and every generated image.
inline int64_t images_of(const BatchRequest& batch) {
  int64_t images = batch.noise.count;
  for (const Draw& draw : batch.draws) images += draw.count * static_cast<int64_t>(draw.views.size());
  return images;
}

// The images of one draw, on the training device.
struct DrawnImages {
  Pool pool = Pool::kAll;
  // N x C x H x W, float or double, channels-last, normalized to [-1, 1]; or features N x F (is_feature_view).
  std::vector<at::Tensor> views;
  at::Tensor labels;      // N, int64: 0 to K-1, or -1 if the label is not given to the training
  at::Tensor rows;        // N, int64: rows in the training set
  at::Tensor noise = {};  // N x Draw::noise; undefined without
};

struct Batch {
  std::vector<DrawnImages> draws;  // in the order of the request
  at::Tensor noise;                // count x size; undefined without noise
  at::Tensor updates;              // 0-dim: earlier passes of this phase, set by the trainer
  uint64_t dropout_key = 0;        // dropout seed of this pass; each layer mixes in its own number

  // The first draw from a pool, which must exist.
  const DrawnImages& from(Pool pool) const {
    const auto found = std::ranges::find(draws, pool, &DrawnImages::pool);
    TORCH_CHECK(found != draws.end(), "the batch has no images of this pool");
    return *found;
  }
  DrawnImages& from(Pool pool) { return const_cast<DrawnImages&>(std::as_const(*this).from(pool)); }
};

}  // namespace frgan

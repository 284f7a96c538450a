// Small methods and batches for tests: networks with 1/16 of the width of Table 1, batches of four 16x16 images.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "../batch_requests.h"
#include "frgan/core/json.h"
#include "frgan/core/options.h"
#include "frgan/device/batch.h"
#include "frgan/device/random.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/nn/networks.h"

namespace frgan {

using Settings = std::vector<std::pair<std::string, Json>>;

inline Problem small_problem(at::ScalarType dtype = at::kDouble) {
  return {.shape = {.image_size = 16, .channels = 1, .classes = 3}, .seed = 1, .dtype = dtype};
}

// The same with larger images if the network that the settings name needs them.
inline Problem small_problem_for(const Settings& settings, at::ScalarType dtype = at::kDouble) {
  Problem problem = small_problem(dtype);
  for (const auto& [option, value] : settings) {
    if (option == "network")
      problem.shape.image_size = std::max(problem.shape.image_size, find_network(value.text()).smallest_image);
  }
  return problem;
}

// A method with small sizes and the given options, built for `problem`.
inline std::unique_ptr<Method> small_method(const std::string& name, const Settings& settings, const Problem& problem) {
  std::unique_ptr<Method> method = create_method(name);
  OptionSet options;
  method->describe(options);
  Settings all{{"width", 1.0 / 16}, {"noise-size", 8}, {"batch-size", 4}, {"init-images", 8}};
  all.insert(all.end(), settings.begin(), settings.end());
  for (const auto& [option, value] : all) {
    if (options.contains(option)) options.set(option, value, "the test");
  }
  method->validate();
  method->build(problem);
  return method;
}

inline std::unique_ptr<Method> small_method(const std::string& name, const Settings& settings = {}) {
  return small_method(name, settings, small_problem_for(settings));
}

// Random images, labels and noise, as a pure function of request, draw and part. The branches of an image differ by a
// little noise. Every second unlabeled image has a visible label.
struct RandomBatches {
  Problem problem = small_problem();

  Batch operator()(const BatchRequest& request, uint64_t draw, uint64_t part) const {
    const ImageShape& shape = problem.shape;
    const at::TensorOptions reals = at::TensorOptions(problem.dtype).device(problem.device);
    const auto key = [&](Stream stream, uint64_t what) { return random_key(draw, stream, part, what); };
    const auto images = [&](int64_t count, int64_t branches, uint64_t what) {
      const std::vector<int64_t> sizes{count, shape.image_size, shape.image_size, shape.channels};
      const at::Tensor base = random_uniform(sizes, -1, 1, key(Stream::kUnlabeledOrder, what), reals);
      std::vector<at::Tensor> views;
      for (int64_t branch = 0; branch < branches; ++branch) {
        const uint64_t change = key(Stream::kAugmentation, what + static_cast<uint64_t>(branch));
        views.push_back((base + random_uniform(sizes, -0.2, 0.2, change, reals)).permute({0, 3, 1, 2}));
      }
      return views;
    };
    const auto labels = [&](int64_t count, uint64_t what) {
      return random_integers({count}, 0, shape.classes, key(Stream::kLabeledOrder, what), problem.device);
    };
    Batch batch;
    for (const Draw& wanted : request.draws) {
      const bool labeled = wanted.pool == Pool::kLabeled;
      DrawnImages drawn{.pool = wanted.pool, .views = {}, .labels = labels(wanted.count, labeled ? 0 : 1), .rows = {}};
      drawn.views =
          images(wanted.count, static_cast<int64_t>(wanted.views.size()), labeled ? 10 : 100 + 100 * wanted.order);
      if (!labeled) {
        const at::Tensor hidden = at::arange(wanted.count, drawn.labels.options()).remainder(2).eq(1);
        drawn.labels = drawn.labels.masked_fill(hidden, -1);
      }
      if (wanted.noise > 0) {
        drawn.noise = random_normal({wanted.count, wanted.noise}, key(Stream::kNoise, 1 + batch.draws.size()), reals);
      }
      batch.draws.push_back(std::move(drawn));
    }
    if (request.noise.count > 0) batch.noise = random_noise(request.noise, key(Stream::kNoise, 0), reals);
    batch.dropout_key = key(Stream::kDropout, 0);
    return batch;
  }
};

}  // namespace frgan

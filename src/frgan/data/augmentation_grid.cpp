#include "frgan/data/augmentation_grid.h"

#include <algorithm>

#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/augment.h"
#include "frgan/data/dataset.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/random.h"

namespace frgan {

AugmentationGrid augmentation_grid(const DataOptions& data, const AugmentationOptions& augmentation,
                                   const AugmentationGridOptions& options, const std::filesystem::path& data_root,
                                   const LoadWatch& watch) {
  const Policies policies = augmentation_policies(augmentation);
  const auto policy = policies.find(options.policy);
  if (policy == policies.end()) {
    std::vector<std::string> names;
    for (const auto& [name, words] : policies) names.push_back(name);
    throw usage_error(fmt::format("unknown --policy '{}'; known policies: {}{}", options.policy, fmt::join(names, ", "),
                                  nearest_hint(options.policy, names)));
  }
  const Dataset set = load_dataset(data, data_root, watch);
  const auto seed = static_cast<uint64_t>(options.seed);
  const at::Tensor order = random_permutation(set.train.size(), random_key(seed, Stream::kSampling));
  const at::Tensor rows = order.narrow(0, 0, std::min(options.images, set.train.size())).contiguous();
  std::vector<at::Tensor> columns{to_pixels(augmented(set.train.images, rows, {}, 0, at::kFloat))};
  for (int64_t view = 0; view < options.views; ++view) {
    const uint64_t key = random_key(seed, Stream::kAugmentation, static_cast<uint64_t>(view));
    columns.push_back(to_pixels(augmented(set.train.images, rows, policy->second, key, at::kFloat)));
  }
  const at::Tensor grid = at::stack(columns, 1).contiguous();  // images x (views + 1) x S x S x C
  const auto* const first = grid.data_ptr<uint8_t>();
  return {set.image_size, set.channels, {first, first + grid.numel()}};
}

}  // namespace frgan

// The table of networks. To add a network, write its source file and its test, and add a row in networks.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "frgan/core/image_shape.h"
#include "frgan/core/options.h"
#include "frgan/nn/network_options.h"

namespace frgan {

class Network;

struct NetworkInfo {
  std::string_view name;  // of --network
  std::string_view summary;
  std::shared_ptr<Network> (*create)(const NetworkOptions&, const ImageShape&, uint64_t seed);
  // Whether the result for an image depends on the others of its training batch. Batches of different kinds must not be
  // joined then.
  bool has_batch_statistics;
  // The options that this network uses, of those that not every network does.
  std::span<const std::string_view> options;
  bool takes_vectors = false;   // also principal components (--normalization pca)
  int64_t smallest_image = 16;  // pixels a side
};

std::span<const NetworkInfo> all_networks();
// Throws a usage error for an unknown name; it suggests the nearest network.
const NetworkInfo& find_network(std::string_view name);

// Throws a usage error if the network cannot take what --normalization makes of an image.
void check_input(const NetworkOptions& options);

// A network with new weights. Throws like find_network and check_input, and a usage error if the images are too small.
std::shared_ptr<Network> create_network(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);

// The options that were changed but that the selected network does not use.
std::vector<WithoutEffect> network_options_without_effect(const OptionSet& options);

}  // namespace frgan

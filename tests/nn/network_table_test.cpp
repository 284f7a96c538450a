// The table of networks, its options and its errors; batch statistics.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../io/temporary_folder.h"
#include "frgan/device/random.h"
#include "frgan/nn/network.h"
#include "frgan/nn/networks.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

constexpr ImageShape kSmallShape{32, 1, 3};

at::Tensor some_images(int64_t count, uint64_t key) {
  return random_uniform({count, 1, 32, 32}, -1, 1, key, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
}

NetworkPtr small_network_of(std::string_view name) {
  return create_network({.network = std::string(name), .width = 1.0 / 16}, kSmallShape, 1);
}

// With running statistics, the result for an image does not depend on the others. With those of the batch, it does, if
// and only if the table says so.
TEST(NetworkTable, SaysWhichNetworksHaveBatchStatistics) {
  for (const NetworkInfo& info : all_networks()) {
    SCOPED_TRACE(info.name);
    const NetworkPtr network = small_network_of(info.name);
    const at::Tensor images = some_images(6, 1);
    const auto first_of = [&](int64_t count, BatchStatistics statistics) {
      return network->forward(images.narrow(0, 0, count), {.statistics = statistics}).logits[0];
    };
    EXPECT_TRUE(
        at::allclose(first_of(3, BatchStatistics::kRunning), first_of(6, BatchStatistics::kRunning), 1e-4, 1e-5));
    EXPECT_EQ(!at::allclose(first_of(3, BatchStatistics::kBatch), first_of(6, BatchStatistics::kBatch), 1e-4, 1e-5),
              info.has_batch_statistics);
  }
}

// Only passes that track change the running statistics.
TEST(NetworkTable, OnlyTrackingPassesUpdateStatistics) {
  for (const NetworkInfo& info : all_networks()) {
    SCOPED_TRACE(info.name);
    const NetworkPtr network = small_network_of(info.name);
    std::vector<at::Tensor> before;
    for (const at::Tensor& buffer : network->buffers()) before.push_back(buffer.clone());
    const auto unchanged = [&] {
      bool same = true;
      for (size_t i = 0; i < before.size(); ++i) same = same && network->buffers()[i].equal(before[i]);
      return same;
    };
    network->forward(some_images(4, 2), {.statistics = BatchStatistics::kBatch});
    network->forward(some_images(4, 2), {.statistics = BatchStatistics::kRunning});
    EXPECT_TRUE(unchanged());
    network->forward(some_images(4, 2), {.statistics = BatchStatistics::kBatchAndTrack});
    EXPECT_EQ(unchanged(), !info.has_batch_statistics);
  }
}

TEST(NetworkTable, InitialWeightsDependOnTheSeedOnly) {
  for (const NetworkInfo& info : all_networks()) {
    SCOPED_TRACE(info.name);
    const auto weights = [&](uint64_t seed) {
      return create_network({.network = std::string(info.name), .width = 1.0 / 16}, kSmallShape, seed)->parameters();
    };
    const auto first = weights(1), same = weights(1), other = weights(2);
    bool equal = true, differs = false;
    for (size_t i = 0; i < first.size(); ++i) {
      equal = equal && first[i].equal(same[i]);
      differs = differs || !first[i].equal(other[i]);
    }
    EXPECT_TRUE(equal);
    EXPECT_TRUE(differs);
  }
}

TEST(NetworkTable, SuggestsTheNearestName) {
  EXPECT_EQ(error_of([] { create_network({.network = "conv-larg"}, kSmallShape, 1); }),
            "unknown network 'conv-larg'; known networks: table1, conv-large, wrn-28-2, mlp, "
            "resnet18, resnet50, efficientnet-lite0, convnext-tiny, vit-small-14; did you mean 'conv-large'?");
}

TEST(NetworkTable, RejectsOptionsOfOtherNetworks) {
  const auto check = [](const std::string& network, const std::string& option, const Json& value) {
    NetworkOptions options;
    OptionSet set;
    describe(set, options);
    set.set("network", network, "the test");
    set.set(option, value, "the test");
    const auto found = network_options_without_effect(set);
    if (!found.empty()) throw usage_error(found.front().message);
  };
  EXPECT_EQ(error_of([&] { check("wrn-28-2", "pooling", "max"); }),
            "--pooling has no effect on --network wrn-28-2; it belongs to: table1");
  EXPECT_THAT(error_of([&] { check("table1", "mlp-units", 64); }), HasSubstr("it belongs to: mlp"));
  EXPECT_THAT(error_of([&] { check("conv-large", "leaky-slope", 0.3); }), HasSubstr("it belongs to: table1, mlp"));
  EXPECT_NO_THROW(check("mlp", "leaky-slope", 0.3));
  EXPECT_NO_THROW(check("wrn-28-2", "width", 0.5));  // every network uses it
}

}  // namespace
}  // namespace frgan

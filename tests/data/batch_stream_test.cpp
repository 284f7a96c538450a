#include "frgan/data/batch_stream.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "meta_kernels.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using Rows = std::vector<int64_t>;

Rows rows_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

// 27 images of 3 classes: 6 are labeled, 2 are development images.
class BatchStreamTest : public ::testing::Test {
 protected:
  BatchStream stream(BatchStreamOptions options = {}) const { return {data_.train, split_, std::move(options)}; }

  const Dataset data_ = tiny_dataset(round_robin(27, 3), 3);
  const LabelSplit split_ = split_labels(data_, {.labels = 6, .dev_images = 2});
};

TEST_F(BatchStreamTest, BatchesHaveTheRequestedShapes) {
  BatchStream batches = stream({.augmentation = {.translate = 2}});
  const Batch batch = batches.next(
      {.labeled = 4, .labeled_branches = 2, .unlabeled = 5, .branches = 3, .noise = 7, .noise_size = 10}, 0, 0);
  ASSERT_EQ(batch.labeled.size(), 2U);
  ASSERT_EQ(batch.unlabeled.size(), 3U);
  for (const at::Tensor& view : batch.labeled) EXPECT_EQ(view.sizes(), (at::IntArrayRef{4, 1, 16, 16}));
  for (const at::Tensor& view : batch.unlabeled) {
    EXPECT_EQ(view.sizes(), (at::IntArrayRef{5, 1, 16, 16}));
    EXPECT_EQ(view.scalar_type(), at::kFloat);
    EXPECT_TRUE(view.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
  EXPECT_EQ(batch.labels.sizes(), (at::IntArrayRef{4}));
  EXPECT_EQ(batch.labeled_rows.sizes(), (at::IntArrayRef{4}));
  EXPECT_EQ(batch.unlabeled_rows.sizes(), (at::IntArrayRef{5}));
  EXPECT_EQ(batch.unlabeled_labels.sizes(), (at::IntArrayRef{5}));
  EXPECT_EQ(batch.noise.sizes(), (at::IntArrayRef{7, 10}));

  const Batch nothing = batches.next({}, 0, 0);
  EXPECT_TRUE(nothing.labeled.empty());
  EXPECT_TRUE(nothing.unlabeled.empty());
  EXPECT_FALSE(nothing.noise.defined());
}

TEST_F(BatchStreamTest, ImagesAndLabelsMatchTheRows) {
  BatchStream batches = stream();
  const Batch batch = batches.next({.labeled = 6, .unlabeled = 10}, 3, 0);
  EXPECT_TRUE(batch.labeled[0].equal(normalised(data_.train.images.index_select(0, batch.labeled_rows), at::kFloat)));
  EXPECT_TRUE(
      batch.unlabeled[0].equal(normalised(data_.train.images.index_select(0, batch.unlabeled_rows), at::kFloat)));
  EXPECT_TRUE(batch.labels.equal(data_.train.labels.index_select(0, batch.labeled_rows)));
}

TEST_F(BatchStreamTest, HidesLabelsOutsideTheSplit) {
  BatchStream batches = stream();
  int seen = 0;
  for (uint64_t draw = 0; draw < 10; ++draw) {
    const Batch batch = batches.next({.labeled = 3, .unlabeled = 5}, draw, 0);
    for (const int64_t row : rows_of(batch.labeled_rows)) {
      EXPECT_TRUE(std::binary_search(split_.labeled.begin(), split_.labeled.end(), row));
    }
    for (int64_t i = 0; i < 5; ++i) {
      const auto row = batch.unlabeled_rows[i].item<int64_t>();
      const bool labeled = std::binary_search(split_.labeled.begin(), split_.labeled.end(), row);
      EXPECT_EQ(batch.unlabeled_labels[i].item<int64_t>(), labeled ? row % 3 : -1);
      EXPECT_FALSE(std::binary_search(split_.dev.begin(), split_.dev.end(), row));
      seen += labeled ? 1 : 0;
    }
  }
  EXPECT_EQ(seen, 12);  // two complete passes: labeled images are also drawn as unlabeled ones
}

TEST_F(BatchStreamTest, UsesNoisyLabelsOfTheSplit) {
  const LabelSplit split = split_labels(data_, {.labels = 6, .dev_images = 2, .noise = {.level = 1}});
  std::map<int64_t, int64_t> shown;
  for (size_t i = 0; i < split.labeled.size(); ++i) shown[split.labeled[i]] = split.shown[i];
  BatchStream batches(data_.train, split, {});
  const Batch batch = batches.next({.labeled = 6, .unlabeled = 25}, 0, 0);
  int seen = 0;
  for (int64_t i = 0; i < 6; ++i) {
    const auto row = batch.labeled_rows[i].item<int64_t>();
    EXPECT_EQ(batch.labels[i].item<int64_t>(), shown.at(row));
    EXPECT_NE(batch.labels[i].item<int64_t>(), row % 3);  // all labels are wrong
  }
  for (int64_t i = 0; i < 25; ++i) {
    const auto found = shown.find(batch.unlabeled_rows[i].item<int64_t>());
    EXPECT_EQ(batch.unlabeled_labels[i].item<int64_t>(), found == shown.end() ? -1 : found->second);
    seen += found == shown.end() ? 0 : 1;
  }
  EXPECT_EQ(seen, 6);
  // Label noise changes neither the images nor their order.
  const Batch plain = stream().next({.labeled = 6, .unlabeled = 25}, 0, 0);
  EXPECT_TRUE(batch.labeled_rows.equal(plain.labeled_rows));
  EXPECT_TRUE(batch.unlabeled[0].equal(plain.unlabeled[0]));
}

TEST_F(BatchStreamTest, DrawsOnlyKeptImages) {
  const LabelSplit split = split_labels(data_, {.labels = 6, .dev_images = 2, .train_images = 10});
  BatchStream batches(data_.train, split, {});
  EXPECT_EQ(batches.unlabeled_images(), 10);
  EXPECT_EQ(batches.labeled_images(), 6);
  EXPECT_EQ(batches.steps_per_epoch(5), 2);
  std::set<int64_t> seen;
  for (uint64_t draw = 0; draw < 2; ++draw) {
    const Batch batch = batches.next({.labeled = 3, .unlabeled = 5}, draw, 0);
    for (const int64_t row : rows_of(batch.unlabeled_rows)) seen.insert(row);
    for (const int64_t row : rows_of(batch.labeled_rows)) {
      EXPECT_TRUE(std::binary_search(split.kept.begin(), split.kept.end(), row));
    }
  }
  EXPECT_EQ(seen, std::set(split.kept.begin(), split.kept.end()));
}

TEST_F(BatchStreamTest, PassIsWithoutReplacementAndDropsTheRemainder) {
  BatchStream batches = stream();
  EXPECT_EQ(batches.unlabeled_images(), 25);
  EXPECT_EQ(batches.labeled_images(), 6);
  EXPECT_EQ(batches.steps_per_epoch(10), 2);
  std::vector<std::set<int64_t>> passes;
  for (uint64_t pass = 0; pass < 3; ++pass) {
    std::set<int64_t> rows;
    for (uint64_t i = 0; i < 2; ++i) {
      const Rows drawn = rows_of(batches.next({.unlabeled = 10}, 2 * pass + i, 0).unlabeled_rows);
      rows.insert(drawn.begin(), drawn.end());
    }
    EXPECT_EQ(rows.size(), 20U);
    passes.push_back(rows);
  }
  EXPECT_NE(passes[0], passes[1]);
  EXPECT_NE(passes[1], passes[2]);
}

TEST_F(BatchStreamTest, RepeatsASetSmallerThanTheBatch) {
  BatchStream batches = stream();
  std::map<int64_t, int> counts;
  for (uint64_t draw = 0; draw < 3; ++draw) {  // 30 draws of 6 images: five whole permutations
    for (const int64_t row : rows_of(batches.next({.labeled = 10}, draw, 0).labeled_rows)) ++counts[row];
  }
  EXPECT_EQ(counts.size(), 6U);
  for (const auto& [row, count] : counts) EXPECT_EQ(count, 5) << row;
  EXPECT_EQ(batches.steps_per_epoch(100), 1);
  EXPECT_EQ(batches.next({.unlabeled = 100}, 1, 0).unlabeled_rows.numel(), 100);
}

bool same(const Batch& a, const Batch& b) {
  return a.labeled[0].equal(b.labeled[0]) && a.unlabeled[0].equal(b.unlabeled[0]) &&
         a.unlabeled[1].equal(b.unlabeled[1]) && a.noise.equal(b.noise) && a.labels.equal(b.labels) &&
         a.labeled_rows.equal(b.labeled_rows) && a.unlabeled_rows.equal(b.unlabeled_rows) &&
         a.unlabeled_labels.equal(b.unlabeled_labels) && a.dropout_key == b.dropout_key;
}

TEST_F(BatchStreamTest, DependsOnlyOnItsArguments) {
  const BatchStreamOptions options{.augmentation = {.translate = 2, .noise = 0.1}, .seed = 3};
  const BatchRequest request{.labeled = 4, .unlabeled = 10, .branches = 2, .noise = 3};
  BatchStream forward = stream(options), backward = stream(options);
  std::vector<Batch> batches;
  for (uint64_t draw = 0; draw < 6; ++draw) batches.push_back(forward.next(request, draw, 1));
  for (uint64_t draw = 6; draw-- > 0;) EXPECT_TRUE(same(backward.next(request, draw, 1), batches[draw])) << draw;
  EXPECT_FALSE(same(batches[0], batches[1]));

  BatchStreamOptions reseeded = options;
  reseeded.seed = 4;
  const Batch other = stream(reseeded).next(request, 0, 1);
  EXPECT_FALSE(other.unlabeled_rows.equal(batches[0].unlabeled_rows));
  EXPECT_FALSE(other.labeled_rows.equal(batches[0].labeled_rows));
  EXPECT_FALSE(other.noise.equal(batches[0].noise));
  EXPECT_NE(other.dropout_key, batches[0].dropout_key);
}

TEST_F(BatchStreamTest, BranchesAugmentTheSameImagesIndependently) {
  const BatchRequest request{.labeled = 6, .labeled_branches = 2, .unlabeled = 6, .branches = 2};
  const Batch batch = stream({.augmentation = {.translate = 2}}).next(request, 0, 0);
  EXPECT_FALSE(batch.unlabeled[0].equal(batch.unlabeled[1]));
  EXPECT_FALSE(batch.labeled[0].equal(batch.labeled[1]));
  const Batch plain = stream().next(request, 0, 0);
  EXPECT_TRUE(plain.unlabeled[0].equal(plain.unlabeled[1]));
}

TEST_F(BatchStreamTest, PartsOfAStepShareOnlyTheRows) {
  BatchStream batches = stream({.augmentation = {.translate = 2}});
  const BatchRequest request{.labeled = 6, .unlabeled = 10, .noise = 3};
  const Batch a = batches.next(request, 2, 0), b = batches.next(request, 2, 1);
  EXPECT_TRUE(a.unlabeled_rows.equal(b.unlabeled_rows));
  EXPECT_FALSE(a.unlabeled[0].equal(b.unlabeled[0]));
  EXPECT_FALSE(a.labeled[0].equal(b.labeled[0]));
  EXPECT_FALSE(a.noise.equal(b.noise));
  EXPECT_NE(a.dropout_key, b.dropout_key);
}

TEST_F(BatchStreamTest, StreamsHaveDifferentOrders) {
  BatchStream batches = stream();
  const Batch first = batches.next({.unlabeled = 25, .stream = 0}, 0, 0);
  const Batch second = batches.next({.unlabeled = 25, .stream = 1}, 0, 0);
  EXPECT_FALSE(first.unlabeled_rows.equal(second.unlabeled_rows));
  EXPECT_TRUE(std::get<0>(first.unlabeled_rows.sort()).equal(std::get<0>(second.unlabeled_rows.sort())));
}

TEST_F(BatchStreamTest, NoiseHasTheRangeOfItsOption) {
  const BatchRequest request{.noise = 100};
  const at::Tensor symmetric = stream({.dtype = at::kDouble}).next(request, 0, 0).noise;
  EXPECT_EQ(symmetric.scalar_type(), at::kDouble);
  EXPECT_LT(symmetric.min().item<double>(), -0.99);
  EXPECT_GT(symmetric.max().item<double>(), 0.99);
  const at::Tensor unit = stream({.noise_range = NoiseRange::kUnit}).next(request, 0, 0).noise;
  EXPECT_GE(unit.min().item<double>(), 0);
  EXPECT_LT(unit.max().item<double>(), 1);
  EXPECT_NEAR(unit.mean().item<double>(), 0.5, 0.02);
}

TEST_F(BatchStreamTest, ReadsNothingBackFromTheDevice) {
  const MetaKernels kernels;
  BatchStream batches(data_.train.to(at::kMeta), split_, {.augmentation = {.translate = 2, .noise = 0.1}});
  const Batch batch = batches.next({.labeled = 4, .unlabeled = 10, .branches = 2, .noise = 3}, 5, 0);
  for (const at::Tensor& tensor : {batch.labeled[0], batch.labels, batch.labeled_rows, batch.unlabeled[1],
                                   batch.unlabeled_rows, batch.unlabeled_labels, batch.noise}) {
    EXPECT_TRUE(tensor.is_meta());
  }
  EXPECT_EQ(batch.unlabeled[1].sizes(), (at::IntArrayRef{10, 1, 16, 16}));
}

TEST_F(BatchStreamTest, RejectsASplitOfOtherData) {
  const Dataset other = tiny_dataset(round_robin(26, 3), 3);
  EXPECT_THROW(BatchStream(other.train, split_, {}), c10::Error);
}

}  // namespace
}  // namespace frgan

#include "frgan/data/batch_stream.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../batch_requests.h"
#include "frgan/device/packed_inputs.h"
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
  BatchStream batches = stream({.policies = {{kWeakPolicy, {.translate = 2}}}});
  const Batch batch = batches.next(
      ShortRequest{.labeled = 4, .labeled_views = 2, .all = 5, .views = 3, .noise = 7, .noise_size = 10}, 0, 0);
  ASSERT_EQ(labeled_of(batch).views.size(), 2U);
  ASSERT_EQ(all_of(batch).views.size(), 3U);
  for (const at::Tensor& view : labeled_of(batch).views) EXPECT_EQ(view.sizes(), (at::IntArrayRef{4, 1, 16, 16}));
  for (const at::Tensor& view : all_of(batch).views) {
    EXPECT_EQ(view.sizes(), (at::IntArrayRef{5, 1, 16, 16}));
    EXPECT_EQ(view.scalar_type(), at::kFloat);
    EXPECT_TRUE(view.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
  EXPECT_EQ(labeled_of(batch).labels.sizes(), (at::IntArrayRef{4}));
  EXPECT_EQ(labeled_of(batch).rows.sizes(), (at::IntArrayRef{4}));
  EXPECT_EQ(all_of(batch).rows.sizes(), (at::IntArrayRef{5}));
  EXPECT_EQ(all_of(batch).labels.sizes(), (at::IntArrayRef{5}));
  EXPECT_EQ(batch.noise.sizes(), (at::IntArrayRef{7, 10}));

  const Batch nothing = batches.next({}, 0, 0);
  EXPECT_TRUE(nothing.draws.empty());
  EXPECT_FALSE(nothing.noise.defined());
}

TEST_F(BatchStreamTest, ImagesAndLabelsMatchTheRows) {
  BatchStream batches = stream();
  const Batch batch = batches.next(ShortRequest{.labeled = 6, .all = 10}, 3, 0);
  EXPECT_TRUE(labeled_of(batch).views[0].equal(
      normalised(data_.train.images.index_select(0, labeled_of(batch).rows), at::kFloat)));
  EXPECT_TRUE(
      all_of(batch).views[0].equal(normalised(data_.train.images.index_select(0, all_of(batch).rows), at::kFloat)));
  EXPECT_TRUE(labeled_of(batch).labels.equal(data_.train.labels.index_select(0, labeled_of(batch).rows)));
}

TEST_F(BatchStreamTest, HidesLabelsOutsideTheSplit) {
  BatchStream batches = stream();
  int seen = 0;
  for (uint64_t draw = 0; draw < 10; ++draw) {
    const Batch batch = batches.next(ShortRequest{.labeled = 3, .all = 5}, draw, 0);
    for (const int64_t row : rows_of(labeled_of(batch).rows)) {
      EXPECT_TRUE(std::binary_search(split_.labeled.begin(), split_.labeled.end(), row));
    }
    for (int64_t i = 0; i < 5; ++i) {
      const auto row = all_of(batch).rows[i].item<int64_t>();
      const bool labeled = std::binary_search(split_.labeled.begin(), split_.labeled.end(), row);
      EXPECT_EQ(all_of(batch).labels[i].item<int64_t>(), labeled ? row % 3 : -1);
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
  const Batch batch = batches.next(ShortRequest{.labeled = 6, .all = 25}, 0, 0);
  int seen = 0;
  for (int64_t i = 0; i < 6; ++i) {
    const auto row = labeled_of(batch).rows[i].item<int64_t>();
    EXPECT_EQ(labeled_of(batch).labels[i].item<int64_t>(), shown.at(row));
    EXPECT_NE(labeled_of(batch).labels[i].item<int64_t>(), row % 3);  // all labels are wrong
  }
  for (int64_t i = 0; i < 25; ++i) {
    const auto found = shown.find(all_of(batch).rows[i].item<int64_t>());
    EXPECT_EQ(all_of(batch).labels[i].item<int64_t>(), found == shown.end() ? -1 : found->second);
    seen += found == shown.end() ? 0 : 1;
  }
  EXPECT_EQ(seen, 6);
  // Label noise changes neither the images nor their order.
  const Batch plain = stream().next(ShortRequest{.labeled = 6, .all = 25}, 0, 0);
  EXPECT_TRUE(labeled_of(batch).rows.equal(labeled_of(plain).rows));
  EXPECT_TRUE(all_of(batch).views[0].equal(all_of(plain).views[0]));
}

TEST_F(BatchStreamTest, DrawsOnlyKeptImages) {
  const LabelSplit split = split_labels(data_, {.labels = 6, .dev_images = 2, .train_images = 10});
  BatchStream batches(data_.train, split, {});
  EXPECT_EQ(batches.all_images(), 10);
  EXPECT_EQ(batches.labeled_images(), 6);
  EXPECT_EQ(batches.steps_per_epoch(5), 2);
  std::set<int64_t> seen;
  for (uint64_t draw = 0; draw < 2; ++draw) {
    const Batch batch = batches.next(ShortRequest{.labeled = 3, .all = 5}, draw, 0);
    for (const int64_t row : rows_of(all_of(batch).rows)) seen.insert(row);
    for (const int64_t row : rows_of(labeled_of(batch).rows)) {
      EXPECT_TRUE(std::binary_search(split.kept.begin(), split.kept.end(), row));
    }
  }
  EXPECT_EQ(seen, std::set(split.kept.begin(), split.kept.end()));
}

TEST_F(BatchStreamTest, PassIsWithoutReplacementAndDropsTheRemainder) {
  BatchStream batches = stream();
  EXPECT_EQ(batches.all_images(), 25);
  EXPECT_EQ(batches.labeled_images(), 6);
  EXPECT_EQ(batches.steps_per_epoch(10), 2);
  std::vector<std::set<int64_t>> passes;
  for (uint64_t pass = 0; pass < 3; ++pass) {
    std::set<int64_t> rows;
    for (uint64_t i = 0; i < 2; ++i) {
      const Rows drawn = rows_of(all_of(batches.next(ShortRequest{.all = 10}, 2 * pass + i, 0)).rows);
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
    for (const int64_t row : rows_of(labeled_of(batches.next(ShortRequest{.labeled = 10}, draw, 0)).rows))
      ++counts[row];
  }
  EXPECT_EQ(counts.size(), 6U);
  for (const auto& [row, count] : counts) EXPECT_EQ(count, 5) << row;
  EXPECT_EQ(batches.steps_per_epoch(100), 1);
  EXPECT_EQ(all_of(batches.next(ShortRequest{.all = 100}, 1, 0)).rows.numel(), 100);
}

bool same(const Batch& a, const Batch& b) {
  return labeled_of(a).views[0].equal(labeled_of(b).views[0]) && all_of(a).views[0].equal(all_of(b).views[0]) &&
         all_of(a).views[1].equal(all_of(b).views[1]) && a.noise.equal(b.noise) &&
         labeled_of(a).labels.equal(labeled_of(b).labels) && labeled_of(a).rows.equal(labeled_of(b).rows) &&
         all_of(a).rows.equal(all_of(b).rows) && all_of(a).labels.equal(all_of(b).labels) &&
         a.dropout_key == b.dropout_key;
}

TEST_F(BatchStreamTest, DependsOnlyOnItsArguments) {
  const BatchStreamOptions options{.policies = {{kWeakPolicy, {.translate = 2, .noise = 0.1}}}, .seed = 3};
  const BatchRequest request = ShortRequest{.labeled = 4, .all = 10, .views = 2, .noise = 3};
  BatchStream forward = stream(options), backward = stream(options);
  std::vector<Batch> batches;
  for (uint64_t draw = 0; draw < 6; ++draw) batches.push_back(forward.next(request, draw, 1));
  for (uint64_t draw = 6; draw-- > 0;) EXPECT_TRUE(same(backward.next(request, draw, 1), batches[draw])) << draw;
  EXPECT_FALSE(same(batches[0], batches[1]));

  BatchStreamOptions reseeded = options;
  reseeded.seed = 4;
  const Batch other = stream(reseeded).next(request, 0, 1);
  EXPECT_FALSE(all_of(other).rows.equal(all_of(batches[0]).rows));
  EXPECT_FALSE(labeled_of(other).rows.equal(labeled_of(batches[0]).rows));
  EXPECT_FALSE(other.noise.equal(batches[0].noise));
  EXPECT_NE(other.dropout_key, batches[0].dropout_key);
}

TEST_F(BatchStreamTest, BranchesAugmentTheSameImagesIndependently) {
  const BatchRequest request = ShortRequest{.labeled = 6, .labeled_views = 2, .all = 6, .views = 2};
  const Batch batch = stream({.policies = {{kWeakPolicy, {.translate = 2}}}}).next(request, 0, 0);
  EXPECT_FALSE(all_of(batch).views[0].equal(all_of(batch).views[1]));
  EXPECT_FALSE(labeled_of(batch).views[0].equal(labeled_of(batch).views[1]));
  const Batch plain = stream().next(request, 0, 0);
  EXPECT_TRUE(all_of(plain).views[0].equal(all_of(plain).views[1]));
}

TEST_F(BatchStreamTest, PartsOfAStepShareOnlyTheRows) {
  BatchStream batches = stream({.policies = {{kWeakPolicy, {.translate = 2}}}});
  const BatchRequest request = ShortRequest{.labeled = 6, .all = 10, .noise = 3};
  const Batch a = batches.next(request, 2, 0), b = batches.next(request, 2, 1);
  EXPECT_TRUE(all_of(a).rows.equal(all_of(b).rows));
  EXPECT_FALSE(all_of(a).views[0].equal(all_of(b).views[0]));
  EXPECT_FALSE(labeled_of(a).views[0].equal(labeled_of(b).views[0]));
  EXPECT_FALSE(a.noise.equal(b.noise));
  EXPECT_NE(a.dropout_key, b.dropout_key);
}

TEST_F(BatchStreamTest, StreamsHaveDifferentOrders) {
  BatchStream batches = stream();
  const Batch first = batches.next(ShortRequest{.all = 25, .order = 0}, 0, 0);
  const Batch second = batches.next(ShortRequest{.all = 25, .order = 1}, 0, 0);
  EXPECT_FALSE(all_of(first).rows.equal(all_of(second).rows));
  EXPECT_TRUE(std::get<0>(all_of(first).rows.sort()).equal(std::get<0>(all_of(second).rows.sort())));
}

TEST_F(BatchStreamTest, NoiseHasItsDistribution) {
  const auto noise_of = [&](NoiseKind kind) {
    return stream({.dtype = at::kDouble}).next({{}, {.count = 100, .size = 100, .kind = kind}}, 0, 0).noise;
  };
  const at::Tensor symmetric = noise_of(NoiseKind::kSymmetric);
  EXPECT_EQ(symmetric.scalar_type(), at::kDouble);
  EXPECT_LT(symmetric.min().item<double>(), -0.99);
  EXPECT_GT(symmetric.max().item<double>(), 0.99);
  const at::Tensor unit = noise_of(NoiseKind::kUnit);
  EXPECT_GE(unit.min().item<double>(), 0);
  EXPECT_LT(unit.max().item<double>(), 1);
  EXPECT_NEAR(unit.mean().item<double>(), 0.5, 0.02);
  const at::Tensor normal = noise_of(NoiseKind::kNormal);
  EXPECT_NEAR(normal.mean().item<double>(), 0, 0.05);
  EXPECT_NEAR(normal.std().item<double>(), 1, 0.05);
  EXPECT_GT(normal.max().item<double>(), 3);
}

// The plan of each batch in the same buffer, as on a GPU: the batch is that of fresh tensors.
TEST_F(BatchStreamTest, PlansMayArriveInOneBuffer) {
  BatchStream batches = stream({.policies = {{kWeakPolicy, {.translate = 2, .noise = 0.1}},
                                             {kStrongPolicy, parse_augmentation({"randaugment:2", "cutout:0.5"})}},
                                .seed = 3});
  const BatchRequest request{{Draw{Pool::kLabeled, 4}, Draw{Pool::kAll, 6, {kWeakPolicy, kStrongPolicy}, 0, 5}},
                             {.count = 3, .size = 2}};
  PackedInputs inputs(at::kCPU, /*always=*/true);
  for (uint64_t draw = 0; draw < 3; ++draw) {
    BatchPlan plan = batches.plan(request, draw, 1);
    inputs.load(plan.tensors());
    const Batch found = batches.gather(request, plan), expected = batches.next(request, draw, 1);
    EXPECT_TRUE(found.noise.equal(expected.noise));
    EXPECT_EQ(found.dropout_key, expected.dropout_key);
    for (size_t i = 0; i < 2; ++i) {
      const DrawnImages &one = found.draws[i], &other = expected.draws[i];
      EXPECT_TRUE(one.rows.equal(other.rows) && one.labels.equal(other.labels));
      for (size_t view = 0; view < one.views.size(); ++view) EXPECT_TRUE(one.views[view].equal(other.views[view]));
    }
    EXPECT_TRUE(found.draws[1].noise.equal(expected.draws[1].noise));
  }
}

TEST_F(BatchStreamTest, NoiseOfImagesIsNormalAndDiffersBetweenDraws) {
  BatchStream batches = stream({.dtype = at::kDouble});
  const BatchRequest request{{Draw{Pool::kLabeled, 5, {kWeakPolicy}, 0, 2000},
                              Draw{Pool::kAll, 5, {kWeakPolicy}, 0, 2000}, Draw{Pool::kAll, 5}}};
  const Batch batch = batches.next(request, 3, 1);
  const at::Tensor first = batch.draws[0].noise, second = batch.draws[1].noise;
  EXPECT_EQ(first.sizes(), (at::IntArrayRef{5, 2000}));
  EXPECT_FALSE(first.equal(second));
  EXPECT_FALSE(batch.draws[2].noise.defined());
  EXPECT_NEAR(first.mean().item<double>(), 0, 0.05);
  EXPECT_NEAR(first.std().item<double>(), 1, 0.05);
  EXPECT_TRUE(batches.next(request, 3, 1).draws[0].noise.equal(first));
  EXPECT_FALSE(batches.next(request, 4, 1).draws[0].noise.equal(first));
}

// The pools are disjoint sets and their union; each has its own order.
TEST_F(BatchStreamTest, PoolsAreTheLabeledTheUnlabeledAndAllImages) {
  BatchStream batches = stream();
  const Batch batch = batches.next({{{Pool::kUnlabeled, 19}, {Pool::kLabeled, 6}, {Pool::kAll, 25}}}, 0, 0);
  const auto set_of = [&](Pool pool) {
    const Rows rows = rows_of(batch.from(pool).rows);
    return std::set<int64_t>(rows.begin(), rows.end());
  };
  std::set<int64_t> both = set_of(Pool::kLabeled);
  EXPECT_EQ(both, std::set<int64_t>(split_.labeled.begin(), split_.labeled.end()));
  both.merge(set_of(Pool::kUnlabeled));
  EXPECT_EQ(both.size(), 25U);
  EXPECT_EQ(both, set_of(Pool::kAll));
  EXPECT_TRUE(batch.from(Pool::kUnlabeled).labels.eq(-1).all().item<bool>());
}

TEST_F(BatchStreamTest, ViewsHaveTheirPolicies) {
  BatchStream batches = stream({.policies = {{kWeakPolicy, {.translate = 2}}}});
  const Batch batch = batches.next({{{Pool::kAll, 10, {kNoPolicy, kWeakPolicy, kNoPolicy}}}}, 0, 0);
  const std::vector<at::Tensor>& views = all_of(batch).views;
  const at::Tensor plain = normalised(data_.train.images.index_select(0, all_of(batch).rows), at::kFloat);
  EXPECT_TRUE(views[0].equal(plain));
  EXPECT_FALSE(views[1].equal(plain));
  EXPECT_TRUE(views[2].equal(plain));
  EXPECT_THROW(batches.next({{{Pool::kAll, 1, {"unknown"}}}}, 0, 0), c10::Error);
}

TEST_F(BatchStreamTest, FeatureViewsShowTheFeaturesOfTheRows) {
  BatchStream batches = stream({.policies = {{kWeakPolicy, {.translate = 2}}}});
  const BatchRequest request{{{Pool::kAll, 5, {kFeatureView, kWeakPolicy, kStrongFeatureView}}}};
  const at::Tensor plain = all_of(batches.next({{{Pool::kAll, 5, {kNoPolicy, kWeakPolicy}}}}, 0, 0)).views[0];
  EXPECT_TRUE(all_of(batches.next(request, 0, 0)).views[0].equal(plain));  // without features, the images
  EXPECT_TRUE(all_of(batches.next(request, 0, 0)).views[2].equal(plain));  // the default strong policy changes nothing
  const at::Tensor features = at::arange(27 * 4, at::kFloat).view({27, 4});
  const at::Tensor weak = all_of(batches.next(request, 0, 0)).views[1];
  batches.set_features(kFeatureView, features);
  batches.set_features(kStrongFeatureView, -features);
  const DrawnImages drawn = all_of(batches.next(request, 0, 0));
  EXPECT_TRUE(drawn.views[0].equal(features.index_select(0, drawn.rows)));
  EXPECT_TRUE(drawn.views[1].equal(weak));
  EXPECT_TRUE(drawn.views[2].equal(-drawn.views[0]));
}

TEST_F(BatchStreamTest, ReadsNothingBackFromTheDevice) {
  const MetaKernels kernels;
  BatchStream batches(data_.train.to(at::kMeta), split_, {.policies = {{kWeakPolicy, {.translate = 2, .noise = 0.1}}}});
  const Batch batch = batches.next(ShortRequest{.labeled = 4, .all = 10, .views = 2, .noise = 3}, 5, 0);
  for (const at::Tensor& tensor : {labeled_of(batch).views[0], labeled_of(batch).labels, labeled_of(batch).rows,
                                   all_of(batch).views[1], all_of(batch).rows, all_of(batch).labels, batch.noise}) {
    EXPECT_TRUE(tensor.is_meta());
  }
  EXPECT_EQ(all_of(batch).views[1].sizes(), (at::IntArrayRef{10, 1, 16, 16}));
}

TEST_F(BatchStreamTest, RejectsASplitOfOtherData) {
  const Dataset other = tiny_dataset(round_robin(26, 3), 3);
  EXPECT_THROW(BatchStream(other.train, split_, {}), c10::Error);
}

}  // namespace
}  // namespace frgan

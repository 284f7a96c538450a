#include "frgan/device/random.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <numbers>
#include <set>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "frgan/device/normal.h"
#include "frgan/device/philox.h"

namespace frgan {
namespace {

const at::TensorOptions kFloats = at::kFloat;
const at::TensorOptions kDoubles = at::kDouble;

std::vector<uint32_t> words(const PhiloxBlock& block) {
  return {std::begin(block.words), std::end(block.words)};
}

// Known-answer test vectors published by the authors of Philox (Random123, kat_vectors, philox4x32 10).
TEST(Philox, MatchesPublishedVectors) {
  EXPECT_EQ(words(philox(0, 0, 0)), (std::vector<uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(words(philox(~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0})),
            (std::vector<uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(words(philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e)),
            (std::vector<uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomKey, DependsOnEveryArgument) {
  const uint64_t key = random_key(1, Stream::kNoise, 2, 3);
  EXPECT_EQ(key, random_key(1, Stream::kNoise, 2, 3));
  std::set<uint64_t> keys = {key};
  EXPECT_TRUE(keys.insert(random_key(0, Stream::kNoise, 2, 3)).second);
  EXPECT_TRUE(keys.insert(random_key(1, Stream::kDropout, 2, 3)).second);
  EXPECT_TRUE(keys.insert(random_key(1, Stream::kNoise, 3, 2)).second);
  EXPECT_TRUE(keys.insert(random_key(1, Stream::kNoise, 2, 4)).second);
  EXPECT_TRUE(keys.insert(random_key(2, Stream::kNoise, 1, 3)).second);
}

// Repeated runs and resumed old checkpoints depend on these values. Never change them.
TEST(RandomKey, MatchesStoredValues) {
  EXPECT_EQ(random_key(1, Stream::kWeights), UINT64_C(14512240895448352642));
  EXPECT_EQ(random_key(1, Stream::kUnlabeledOrder, 2, 3), UINT64_C(14989134725411442764));
}

TEST(RandomBits, AreTheWordsOfThePhiloxBlock) {
  EXPECT_EQ(random_bits(0, 0), 0x6627e8d5e169c58dU);
  EXPECT_EQ(random_bits(0, 1), 0xbc57ac4c9b00dbd8U);
  EXPECT_NE(random_bits(0, 2), random_bits(0, 0));
}

TEST(RandomBelow, CoversTheWholeRange) {
  std::set<uint64_t> seen;
  for (uint64_t position = 0; position < 200; ++position) seen.insert(random_below(7, 5, position));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(random_below(1, 5, 3), 0U);
}

TEST(RandomUniform, IsUniformOverItsRange) {
  for (const at::TensorOptions& options : {kFloats, kDoubles}) {
    const at::Tensor x = random_uniform({1000, 100}, -1, 1, 42, options);
    EXPECT_EQ(x.sizes(), (at::IntArrayRef{1000, 100}));
    EXPECT_EQ(x.scalar_type(), at::typeMetaToScalarType(options.dtype()));
    EXPECT_GE(x.min().item<double>(), -1);
    EXPECT_LT(x.max().item<double>(), 1);
    EXPECT_LT(x.min().item<double>(), -0.999);
    EXPECT_GT(x.max().item<double>(), 0.999);
    // Within five standard errors of the moments of U[-1, 1].
    EXPECT_NEAR(x.mean().item<double>(), 0, 5 * std::sqrt(1.0 / 3 / 1e5));
    EXPECT_NEAR(x.square().mean().item<double>(), 1.0 / 3, 5 * std::sqrt(4.0 / 45 / 1e5));
    // No correlation between neighbors, nor between words of the same Philox block.
    const at::Tensor flat = x.flatten();
    for (const int64_t lag : {1, 256, 512, 1024}) {
      const at::Tensor product = flat.slice(0, lag) * flat.slice(0, 0, -lag);
      EXPECT_NEAR(product.mean().item<double>(), 0, 5.0 / 3 / std::sqrt(1e5)) << lag;
    }
  }
}

TEST(RandomUniform, SupportsOtherRanges) {
  const at::Tensor x = random_uniform({5000}, 0, 1, 7, kFloats);
  EXPECT_GE(x.min().item<double>(), 0);
  EXPECT_LT(x.max().item<double>(), 1);
  EXPECT_NEAR(x.mean().item<double>(), 0.5, 0.03);
}

TEST(RandomNormal, HasNormalMomentsAndTails) {
  for (const at::TensorOptions& options : {kFloats, kDoubles}) {
    const at::Tensor x = random_normal({100000}, 42, options);
    EXPECT_NEAR(x.mean().item<double>(), 0, 5 / std::sqrt(1e5));
    EXPECT_NEAR(x.square().mean().item<double>(), 1, 5 * std::sqrt(2 / 1e5));
    EXPECT_NEAR(x.pow(3).mean().item<double>(), 0, 5 * std::sqrt(15 / 1e5));
    EXPECT_NEAR(x.pow(4).mean().item<double>(), 3, 5 * std::sqrt(96 / 1e5));
    EXPECT_NEAR((x.abs() > 1.96).to(at::kDouble).mean().item<double>(), 0.05, 0.005);
    EXPECT_GT(x.max().item<double>(), 3.5);
    EXPECT_LT(x.min().item<double>(), -3.5);
    EXPECT_TRUE(at::isfinite(x).all().item<bool>());
    for (const int64_t lag : {1, 256, 512}) {  // 512 is the lag within a pair
      EXPECT_NEAR((x.slice(0, lag) * x.slice(0, 0, -lag)).mean().item<double>(), 0, 5 / std::sqrt(1e5)) << lag;
    }
  }
}

TEST(RandomIntegers, AreUniformUpToTheirLimits) {
  const at::Tensor x = random_integers({10000}, -2, 3, 42, at::kCPU);
  EXPECT_EQ(x.scalar_type(), at::kLong);
  for (int64_t value = -2; value < 3; ++value) {
    EXPECT_NEAR((x == value).sum().item<double>(), 2000, 5 * std::sqrt(10000 * 0.2 * 0.8)) << value;
  }
  EXPECT_EQ(x.min().item<int64_t>(), -2);
  EXPECT_EQ(x.max().item<int64_t>(), 2);
  const int64_t lowest = std::numeric_limits<int64_t>::min(), highest = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(random_integers({1}, lowest, lowest + 1, 42, at::kCPU).item<int64_t>(), lowest);
  const at::Tensor wide = random_integers({100}, lowest, highest, 42, at::kCPU);
  EXPECT_LT(wide.min().item<int64_t>(), lowest / 2);
  EXPECT_GT(wide.max().item<int64_t>(), highest / 2);
  EXPECT_THROW(random_integers({1}, 3, 3, 42, at::kCPU), c10::Error);
}

TEST(RandomTensors, DependOnlyOnTheKey) {
  const at::Tensor x = random_uniform({3000}, 0, 1, 42, kFloats);
  EXPECT_TRUE(x.equal(random_uniform({3000}, 0, 1, 42, kFloats)));
  EXPECT_FALSE(x.equal(random_uniform({3000}, 0, 1, 43, kFloats)));
  // A shorter draw is a prefix of a longer one: a partial tile agrees with the full tile.
  EXPECT_TRUE(x.slice(0, 0, 1500).equal(random_uniform({1500}, 0, 1, 42, kFloats)));
  EXPECT_TRUE(random_normal({3000}, 42, kDoubles).slice(0, 0, 700).equal(random_normal({700}, 42, kDoubles)));
}

TEST(RandomTensors, DoNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  std::vector<std::vector<at::Tensor>> draws;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    draws.push_back({random_uniform({100001}, -1, 1, 1, kFloats), random_uniform({100001}, -1, 1, 1, kDoubles),
                     random_normal({100001}, 1, kFloats), random_normal({100001}, 1, kDoubles),
                     random_integers({100001}, 0, 10, 1, at::kCPU)});
  }
  at::set_num_threads(before);
  for (size_t i = 0; i < draws[0].size(); ++i) {
    EXPECT_TRUE(draws[0][i].equal(draws[1][i])) << i;
    EXPECT_TRUE(draws[0][i].equal(draws[2][i])) << i;
  }
}

TEST(RandomTensors, HaveOnlyAShapeOnTheMetaDevice) {
  const at::TensorOptions meta = at::TensorOptions(at::kFloat).device(at::kMeta);
  for (const at::Tensor& x : {random_uniform({2, 3}, 0, 1, 1, meta), random_normal({2, 3}, 1, meta),
                              random_integers({2, 3}, 0, 5, 1, at::kMeta)}) {
    EXPECT_TRUE(x.is_meta());
    EXPECT_EQ(x.sizes(), (at::IntArrayRef{2, 3}));
  }
}

TEST(RandomTensors, MayBeEmpty) {
  EXPECT_EQ(random_uniform({0, 5}, 0, 1, 1, kFloats).numel(), 0);
  EXPECT_EQ(random_permutation(0, 1).numel(), 0);
}

TEST(RandomPermutation, ContainsEachRowOnce) {
  const at::Tensor rows = random_permutation(1000, 42);
  EXPECT_TRUE(std::get<0>(rows.sort()).equal(at::arange(1000)));
  EXPECT_FALSE(rows.equal(at::arange(1000)));
  EXPECT_TRUE(rows.equal(random_permutation(1000, 42)));
  EXPECT_FALSE(rows.equal(random_permutation(1000, 43)));
  EXPECT_TRUE(random_permutation(1, 42).equal(at::zeros({1}, at::kLong)));
}

TEST(RandomPermutation, AllOrdersAreEquallyLikely) {
  std::map<std::vector<int64_t>, int> counts;
  for (uint64_t key = 0; key < 6000; ++key) {
    const at::Tensor rows = random_permutation(3, key);
    const int64_t* data = rows.data_ptr<int64_t>();
    ++counts[{data, data + 3}];
  }
  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(6000.0 / 6 * 5 / 6));
}

// Errors in units of the last place of a result, against a wider type.
template <class T>
double units_of_error(T found, long double exact) {
  int exponent = 0;
  std::frexp(static_cast<T>(exact), &exponent);
  const long double unit = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::abs(static_cast<long double>(found) - exact) / unit);
}

template <class T>
void expect_accurate_functions() {
  constexpr int kCount = 100000;
  double log_error = 0, turn_error = 0;
  for (int i = 0; i < kCount; ++i) {
    const T unit = static_cast<T>(i + 1) / static_cast<T>(kCount), small = std::ldexp(unit, -i % 32);
    for (const T x : {unit, small})
      log_error = std::max(log_error, units_of_error(natural_log(x), std::log(static_cast<long double>(x))));
    const T turn = static_cast<T>(i) / static_cast<T>(kCount);
    T sine = 0, cosine = 0;
    sine_cosine(turn, &sine, &cosine);
    const long double angle = 2 * std::numbers::pi_v<long double> * static_cast<long double>(turn);
    const std::pair<T, long double> results[] = {{sine, std::sin(angle)}, {cosine, std::cos(angle)}};
    for (const auto& [found, exact] : results) {
      if (std::abs(exact) > 1e-3) turn_error = std::max(turn_error, units_of_error(found, exact));
      EXPECT_NEAR(found, static_cast<double>(exact),
                  1e-6 * std::numeric_limits<T>::epsilon() / std::numeric_limits<float>::epsilon());
    }
  }
  EXPECT_LT(log_error, 2.5);
  EXPECT_LT(turn_error, 3);
  EXPECT_EQ(natural_log(T{1}), 0);
}

TEST(Normal, LogarithmSineAndCosineAreAccurate) {
  expect_accurate_functions<float>();
  expect_accurate_functions<double>();
}

// The vectorized loop gives the bits of the plain functions: there is no contraction to fused multiply-add. They are
// the same on every processor.
TEST(Normal, HasTheBitsOfThePlainFunctions) {
  const at::Tensor x = random_normal({1024}, 42, at::TensorOptions().dtype(at::kFloat));  // one tile
  uint64_t hash = 0;
  for (int64_t i = 0; i < 512; ++i) {
    const PhiloxBlock block = philox(42, static_cast<uint64_t>(i % 256));
    const float unit = (static_cast<float>(block.words[i / 256]) + 1) * 0x1p-32F;
    const float turn = static_cast<float>(block.words[2 + i / 256] >> 8) * 0x1p-24F;
    float first = 0, second = 0;
    normal_pair(unit, turn, &first, &second);
    EXPECT_EQ(x[i].item<float>(), first) << i;
    EXPECT_EQ(x[i + 512].item<float>(), second) << i;
    uint32_t bits = 0;
    std::memcpy(&bits, &first, sizeof(bits));
    hash = hash * 1099511628211U + bits;
  }
  EXPECT_EQ(hash, 12817076090769374434U);
}

}  // namespace
}  // namespace frgan

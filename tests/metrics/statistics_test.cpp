#include "frgan/metrics/statistics.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace frgan {
namespace {

using Values = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

const Values kErrors{4.31, 4.02, 4.77, 4.45, 3.98};

TEST(Statistics, MeanAndMedian) {
  EXPECT_DOUBLE_EQ(mean(kErrors), 4.306);
  EXPECT_DOUBLE_EQ(median(kErrors), 4.31);
  EXPECT_EQ(mean(Values{3}), 3);
  EXPECT_EQ(median(Values{3}), 3);
  EXPECT_EQ(median(Values{4, 1, 100, 2}), 3);  // mean of the middle two
  EXPECT_EQ(median(Values{-1, -3}), -2);
}

TEST(Statistics, SampleStandardDeviation) {
  EXPECT_NEAR(standard_deviation(kErrors), 0.3256224807963971, 1e-15);  // numpy.std(ddof=1)
  EXPECT_DOUBLE_EQ(standard_deviation(Values{1, 2}), std::sqrt(0.5));
  EXPECT_EQ(standard_deviation(Values{7, 7, 7}), 0);
  // Large values with small differences.
  EXPECT_DOUBLE_EQ(standard_deviation(Values{1e9, 1e9 + 1, 1e9 + 2}), 1);
}

TEST(Statistics, AreNanForTooFewValues) {
  EXPECT_TRUE(std::isnan(mean({})));
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_TRUE(std::isnan(standard_deviation({})));
  EXPECT_TRUE(std::isnan(standard_deviation(Values{3})));
}

TEST(Statistics, PropagateNonFiniteValues) {
  EXPECT_TRUE(std::isnan(mean(Values{1, kNan, 2})));
  EXPECT_TRUE(std::isnan(standard_deviation(Values{1, kNan, 2})));
  EXPECT_TRUE(std::isnan(standard_deviation(Values{1, kInfinity})));
  EXPECT_EQ(mean(Values{1, kInfinity}), kInfinity);
  EXPECT_EQ(median(Values{kInfinity, 1, 2}), 2);
}

// Expected: sqrt(n (1 - x) / x) with x = scipy.special.betaincinv(n / 2, 1 / 2, 0.05). This equals t.ppf(0.975, n),
// whose values in scipy 1.10 are off by up to 2e-9.
TEST(TQuantile, EqualsScipy) {
  const Values few{12.706204736174707, 4.302652729749464,  3.18244630528371,   2.7764451051977943, 2.5705818356363155,
                   2.44691185114497,   2.364624251592785,  2.3060041352041667, 2.2621571627982053, 2.228138851986275,
                   2.2009851600916397, 2.178812829667229,  2.1603686564627926, 2.144786687917804,  2.1314495455597746,
                   2.1199052992212533, 2.1098155778333165, 2.1009220402410382, 2.09302405440831,   2.0859634472658635,
                   2.07961384472768,   2.0738730679040263, 2.0686576104190473, 2.063898561628025,  2.059538552753297,
                   2.0555294386428726, 2.051830516480286,  2.0484071417952445, 2.045229642132704,  2.042272456301239};
  ASSERT_EQ(few.size(), 30U);
  for (size_t i = 0; i < few.size(); ++i) EXPECT_NEAR(t_quantile(static_cast<int64_t>(i) + 1), few[i], 1e-11) << i + 1;
  EXPECT_NEAR(t_quantile(100), 1.983971518523551, 1e-11);
  EXPECT_NEAR(t_quantile(1000), 1.9623390808262562, 1e-11);
  EXPECT_NEAR(t_quantile(1), std::tan(0.475 * std::acos(-1.0)), 1e-11);  // Cauchy distribution
  EXPECT_NEAR(t_quantile(2), 0.95 * std::sqrt(2 / (1 - 0.95 * 0.95)), 1e-11);
}

// Expected: mean -+ t * scipy.stats.sem(values), with t as above.
TEST(MeanInterval, EqualsScipy) {
  const MeanInterval errors = mean_interval(kErrors);
  EXPECT_EQ(errors.count, 5);
  EXPECT_DOUBLE_EQ(errors.mean, 4.306);
  EXPECT_NEAR(errors.low, 3.901686288589316, 1e-11);
  EXPECT_NEAR(errors.high, 4.710313711410683, 1e-11);
  const MeanInterval two = mean_interval(Values{1, 2});
  EXPECT_NEAR(two.low, -4.853102368087353, 1e-11);
  EXPECT_NEAR(two.high, 7.853102368087353, 1e-11);
  const MeanInterval same = mean_interval(Values{3, 3, 3});
  EXPECT_EQ(same.low, 3);
  EXPECT_EQ(same.high, 3);
}

TEST(MeanInterval, IsInfiniteForFewerThanTwoValues) {
  const MeanInterval one = mean_interval(Values{3});
  EXPECT_EQ(one.count, 1);
  EXPECT_EQ(one.mean, 3);
  EXPECT_EQ(one.low, -kInfinity);
  EXPECT_EQ(one.high, kInfinity);
  const MeanInterval none = mean_interval({});
  EXPECT_EQ(none.count, 0);
  EXPECT_TRUE(std::isnan(none.mean));
  EXPECT_EQ(none.low, -kInfinity);
  EXPECT_EQ(none.high, kInfinity);
}

TEST(LateMedian, UsesTheLast20Values) {
  std::vector<double> values(10, 1000.0);
  for (int i = 0; i < 20; ++i) values.push_back(i);
  EXPECT_EQ(late_median(values), 9.5);
  EXPECT_TRUE(std::isnan(late_median(std::vector<double>(19, 1.0))));
}

}  // namespace
}  // namespace frgan

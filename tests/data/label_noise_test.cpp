#include "frgan/data/label_noise.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Labels = std::vector<int64_t>;

constexpr int64_t kClasses = 5;

// Counts of each true class (row) and shown class (column).
std::vector<std::vector<int>> counts_of(const Labels& labels, const Labels& shown, int64_t classes = kClasses) {
  std::vector<std::vector<int>> counts(classes, std::vector<int>(classes));
  for (size_t i = 0; i < labels.size(); ++i) ++counts[labels[i]][shown[i]];
  return counts;
}

int64_t differing(const Labels& one, const Labels& other) {
  int64_t count = 0;
  for (size_t i = 0; i < one.size(); ++i) count += one[i] != other[i] ? 1 : 0;
  return count;
}

TEST(NoiseMatrix, WrongExcludesTheTrueClass) {
  EXPECT_EQ(noise_matrix("wrong", 3), (NoiseMatrix{{0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}}));
  EXPECT_EQ(noise_matrix("random", 4), (NoiseMatrix(4, {0.25, 0.25, 0.25, 0.25})));
}

TEST(NoiseMatrix, ReadsBlanksOrCommas) {
  const TemporaryFolder folder;
  const NoiseMatrix expected{{0.5, 0.25, 0.25}, {0, 1, 0}, {0.125, 0.125, 0.75}};
  write_file_safely(folder / "blanks", "0.5 0.25\t0.25\n0 1 0\n  0.125  1.25e-1 .75  \n");
  write_file_safely(folder / "commas", "\n0.5,0.25,0.25\r\n0, 1, 0\r\n\r\n0.125,0.125,0.75");
  for (const std::string name : {"blanks", "commas"}) {
    EXPECT_EQ(noise_matrix("matrix:" + (folder / name).string(), 3), expected) << name;
  }
  // Numbers with few digits may sum to 1 only approximately.
  write_file_safely(folder / "rounded", "0.333 0.333 0.333\n0 1 0\n0 0 1\n");
  EXPECT_EQ(noise_matrix("matrix:" + (folder / "rounded").string(), 3)[0], (std::vector<double>{0.333, 0.333, 0.333}));
}

TEST(NoiseMatrix, RejectsInvalidFiles) {
  const TemporaryFolder folder;
  const std::string path = folder / "m";
  const auto error = [&](const std::string& text) {
    write_file_safely(path, text);
    const std::string message = error_of([&] { noise_matrix("matrix:" + path, 2); });
    EXPECT_TRUE(message.starts_with(path + ": ")) << message;
    return message.substr(std::min(message.size(), path.size() + 2));
  };
  EXPECT_EQ(error("0 1\n1 0 0\n"), "row 2 has 3 numbers; expected 2, one probability per class");
  EXPECT_EQ(error("1\n1 0\n"), "row 1 has 1 numbers; expected 2, one probability per class");
  EXPECT_EQ(error("0 1\n"), "1 rows; expected 2, one per true class");
  EXPECT_EQ(error("0 1\n1 0\n0 1\n"), "3 rows; expected 2, one per true class");
  EXPECT_EQ(error(""), "0 rows; expected 2, one per true class");
  EXPECT_EQ(error("0 1\n0.5 0.25\n"), "row 2 sums to 0.75; must be 1");
  EXPECT_EQ(error("0 1\n1.5 -0.5\n"), "row 2 has the value 1.5; probabilities must be 0 to 1");
  EXPECT_EQ(error("-0.5 1\n1 0\n"), "row 1 has the value -0.5; probabilities must be 0 to 1");
  EXPECT_EQ(error("nan 1\n1 0\n"), "row 1 has the value nan; probabilities must be 0 to 1");
  const std::string other_text = " and other text; expected 2, one probability per class";
  EXPECT_EQ(error("0.5 half\n1 0\n"), "row 1 has 1 numbers" + other_text);
  EXPECT_EQ(error("0 1\n0.5 0.5 -\n"), "row 2 has 2 numbers" + other_text);
  EXPECT_EQ(error("0 1\n0.5 0.5x\n"), "row 2 has 1 numbers" + other_text);
  EXPECT_EQ(error("# of two classes\n0 1\n1 0\n"), "row 1 has 0 numbers" + other_text);
  EXPECT_THAT(error_of([&] { noise_matrix("matrix:" + (folder / "none").string(), 2); }),
              HasSubstr((folder / "none").string()));
}

TEST(NoiseMatrix, RejectsUnknownKinds) {
  for (const std::string kind : {"", "wrongs", "matrix", "Random"}) {
    try {
      noise_matrix(kind, 3);
      ADD_FAILURE() << kind;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_EQ(error.what(), "invalid --label-noise-kind '" + kind + "'; must be wrong, random or matrix:FILE");
    }
  }
}

TEST(LabelNoise, CorruptsTheRequestedFraction) {
  const Labels labels = round_robin(1000, kClasses);
  const NoiseMatrix wrong = noise_matrix("wrong", kClasses);
  for (const auto& [level, count] :
       {std::pair{0.0, 0}, {0.0004, 0}, {0.0006, 1}, {0.2, 200}, {0.5, 500}, {1.0, 1000}}) {
    EXPECT_EQ(differing(labels, noisy_labels(labels, wrong, level, 3)), count) << level;
  }
  EXPECT_EQ(noisy_labels({}, wrong, 0.5, 3), Labels{});
}

TEST(LabelNoise, WrongIsUniformOverTheOtherClasses) {
  const Labels labels = round_robin(10'000, kClasses);
  const auto counts = counts_of(labels, noisy_labels(labels, noise_matrix("wrong", kClasses), 1, 1));
  const double expected = 2000.0 / (kClasses - 1);
  double chi_square = 0;  // 5 x 3 degrees of freedom
  for (int64_t k = 0; k < kClasses; ++k) {
    EXPECT_EQ(counts[k][k], 0);
    for (int64_t shown = 0; shown < kClasses; ++shown) {
      if (shown != k) chi_square += (counts[k][shown] - expected) * (counts[k][shown] - expected) / expected;
    }
  }
  EXPECT_LT(chi_square, 37.7);  // exceeded with probability 0.001
  EXPECT_GT(chi_square, 3.5);   // undercut with probability 0.001: not suspiciously uniform
}

TEST(LabelNoise, RandomIsUniformOverAllClasses) {
  const Labels labels = round_robin(10'000, kClasses);
  const Labels shown = noisy_labels(labels, noise_matrix("random", kClasses), 1, 1);
  EXPECT_NEAR(static_cast<double>(differing(labels, shown)), 8000, 120);  // three standard deviations
  for (const auto& row : counts_of(labels, shown)) {
    for (const int count : row) EXPECT_NEAR(count, 400, 72);  // four standard deviations
  }
}

TEST(LabelNoise, FollowsAMatrix) {
  const Labels labels = round_robin(9000, 3);
  const NoiseMatrix matrix{{0.5, 0.25, 0.25}, {0, 1, 0}, {0, 0.9, 0.1}};
  const auto counts = counts_of(labels, noisy_labels(labels, matrix, 1, 1), 3);
  EXPECT_NEAR(counts[0][0], 1500, 110);
  EXPECT_NEAR(counts[0][1], 750, 95);
  EXPECT_THAT(counts[1], ElementsAre(0, 3000, 0));
  EXPECT_EQ(counts[2][0], 0);
  EXPECT_NEAR(counts[2][2], 300, 66);
  // If a row sums to less than 1, the last class with a probability above 0 gets the remainder.
  const Labels zeros(1000, 0);
  const auto short_sum = counts_of(zeros, noisy_labels(zeros, {{0, 0.5, 0}, {0, 1, 0}, {0, 0, 1}}, 1, 1), 3);
  EXPECT_THAT(short_sum[0], ElementsAre(0, 1000, 0));
}

TEST(LabelNoise, LowerLevelIsASubsetOfAHigherOne) {
  const Labels labels = round_robin(1000, kClasses);
  const NoiseMatrix wrong = noise_matrix("wrong", kClasses);
  const Labels low = noisy_labels(labels, wrong, 0.2, 7), high = noisy_labels(labels, wrong, 0.5, 7);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (low[i] != labels[i]) {
      EXPECT_EQ(high[i], low[i]) << i;
    }
  }
  // The corrupted labels are spread uniformly: half of them are in the first half.
  EXPECT_NEAR(static_cast<double>(
                  differing(Labels(labels.begin(), labels.begin() + 500), Labels(low.begin(), low.begin() + 500))),
              100, 30);
}

TEST(LabelNoise, DependsOnlyOnItsSeed) {
  const Labels labels = round_robin(1000, kClasses);
  const NoiseMatrix wrong = noise_matrix("wrong", kClasses);
  const Labels one = noisy_labels(labels, wrong, 0.5, 1);
  EXPECT_EQ(noisy_labels(labels, wrong, 0.5, 1), one);
  const Labels two = noisy_labels(labels, wrong, 0.5, 2);
  int64_t corrupted_by_one_only = 0, corrupted_by_both = 0, equal_classes = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (one[i] == labels[i]) continue;
    ++(two[i] == labels[i] ? corrupted_by_one_only : corrupted_by_both);
    equal_classes += one[i] == two[i] ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(corrupted_by_one_only), 250, 60);  // other labels are corrupted
  EXPECT_NEAR(static_cast<double>(equal_classes), static_cast<double>(corrupted_by_both) / 4,
              30);  // new classes are independent
}

TEST(LabelNoiseOptions, SetTheirFields) {
  LabelNoiseOptions noise;
  OptionSet options;
  describe(options, noise);
  options.find("label-noise", "test").set_text("0.3", "test");
  options.find("label-noise-kind", "test").set_text("random", "test");
  options.find("label-noise-seed", "test").set_text("9", "test");
  EXPECT_EQ(noise.level, 0.3);
  EXPECT_EQ(noise.kind, "random");
  EXPECT_EQ(noise.seed, 9);
  for (const char* level : {"-0.1", "1.1", "nan"}) {
    EXPECT_THROW(options.find("label-noise", "test").set_text(level, "test"), Error) << level;
  }
}

}  // namespace
}  // namespace frgan

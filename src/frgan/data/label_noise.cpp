#include "frgan/data/label_noise.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

constexpr uint64_t kChosenPart = 0, kClassPart = 1;
constexpr std::string_view kMatrix = "matrix:";

// Uniform over all classes, or over all but the true class.
NoiseMatrix uniform_matrix(int64_t classes, bool include_true_class) {
  const auto count = static_cast<size_t>(classes);
  NoiseMatrix matrix(count,
                     std::vector<double>(count, 1.0 / static_cast<double>(include_true_class ? count : count - 1)));
  for (size_t k = 0; k < count && !include_true_class; ++k) matrix[k][k] = 0;
  return matrix;
}

NoiseMatrix read_matrix(const std::string& path, int64_t classes) {
  constexpr double kRounding = 1e-3;            // tolerance of a row's sum, for numbers with few digits
  constexpr int64_t kLimit = int64_t{1} << 26;  // bytes; a matrix of 1000 classes has 20 MB
  NoiseMatrix matrix;
  std::istringstream lines(read_file(path, kLimit));
  for (std::string line; std::getline(lines, line);) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream words(line);
    std::vector<double> row;
    bool all_numbers = true;
    for (std::string word; all_numbers && words >> word;) {
      double number = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
      all_numbers = error == std::errc() && end == word.data() + word.size();
      if (all_numbers) row.push_back(number);
    }
    if (row.empty() && all_numbers) continue;
    const size_t at = matrix.size() + 1;
    if (!all_numbers || std::ssize(row) != classes) {
      throw Error(fmt::format("{}: row {} has {} numbers{}; expected {}, one probability per class", path, at,
                              row.size(), all_numbers ? "" : " and other text", classes));
    }
    double sum = 0;
    for (const double number : row) {
      if (!(number >= 0 && number <= 1))
        throw Error(fmt::format("{}: row {} has the value {}; probabilities must be 0 to 1", path, at, number));
      sum += number;
    }
    if (std::abs(sum - 1) > kRounding) throw Error(fmt::format("{}: row {} sums to {}; must be 1", path, at, sum));
    matrix.push_back(std::move(row));
  }
  if (std::ssize(matrix) != classes) {
    throw Error(fmt::format("{}: {} rows; expected {}, one per true class", path, matrix.size(), classes));
  }
  return matrix;
}

}  // namespace

void describe(OptionSet& options, LabelNoiseOptions& noise) {
  options.add("label-noise", noise.level, "Fraction of labels to corrupt (A24: level and kind of wrong labels).",
              Range<double>{0, 1});
  options.add("label-noise-kind", noise.kind,
              "How a corrupted label gets its new class: wrong (a random other class), random (any class), or "
              "matrix:FILE (a row "
              "of probabilities per true class; A24: level and kind of wrong labels).");
  options.add("label-noise-seed", noise.seed, "Seed for the choice of corrupted labels and their new classes.",
              Range<int64_t>{0, std::numeric_limits<int64_t>::max()});
}

NoiseMatrix noise_matrix(const std::string& kind, int64_t classes) {
  if (kind == "wrong" || kind == "random") return uniform_matrix(classes, kind == "random");
  if (kind.starts_with(kMatrix)) return read_matrix(kind.substr(kMatrix.size()), classes);
  throw usage_error(fmt::format("invalid --label-noise-kind '{}'; must be wrong, random or matrix:FILE", kind));
}

std::vector<int64_t> noisy_labels(const std::vector<int64_t>& labels, const NoiseMatrix& matrix, double level,
                                  int64_t seed) {
  std::vector<int64_t> shown = labels;
  const auto count = static_cast<int64_t>(labels.size());
  const auto corrupted = std::llround(level * static_cast<double>(count));
  const at::Tensor order =
      random_permutation(count, random_key(static_cast<uint64_t>(seed), Stream::kLabelNoise, 0, kChosenPart));
  const uint64_t key = random_key(static_cast<uint64_t>(seed), Stream::kLabelNoise, 0, kClassPart);
  for (int64_t i = 0; i < corrupted; ++i) {
    const auto place = static_cast<size_t>(order.data_ptr<int64_t>()[i]);
    const std::vector<double>& probabilities = matrix[static_cast<size_t>(labels[place])];
    const double point = std::ldexp(static_cast<double>(random_bits(key, place) >> 11), -53);  // [0, 1)
    double cumulative = 0;
    int64_t last = labels[place];
    bool found = false;
    for (size_t k = 0; k < probabilities.size() && !found; ++k) {
      if (probabilities[k] == 0) continue;
      cumulative += probabilities[k];
      last = static_cast<int64_t>(k);  // used if the row sums to less than `point` by rounding
      found = point < cumulative;
    }
    shown[place] = last;
  }
  return shown;
}

}  // namespace frgan

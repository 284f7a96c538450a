#include "frgan/data/noise_matrix.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

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

NoiseMatrix noise_matrix(const std::string& kind, int64_t classes) {
  if (kind == "wrong" || kind == "random") return uniform_matrix(classes, kind == "random");
  if (kind.starts_with(kMatrix)) return read_matrix(kind.substr(kMatrix.size()), classes);
  throw usage_error(fmt::format("invalid --label-noise-kind '{}'; must be wrong, random or matrix:FILE", kind));
}

}  // namespace frgan

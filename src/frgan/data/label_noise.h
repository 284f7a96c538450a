// Wrong labels on purpose, to see what a method makes of them (the paper's Figure 4, A24).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/core/options.h"

namespace frgan {

struct LabelNoiseOptions {
  double level = 0;
  std::string kind = "wrong";
  int64_t seed = 1;
};
// --label-noise, --label-noise-kind and --label-noise-seed.
void describe(OptionSet& options, LabelNoiseOptions& noise);

// Row: the true class; column: the class that is shown; each row sums to 1.
using NoiseMatrix = std::vector<std::vector<double>>;

// A share `level` (0 to 1, to the nearest whole label) of the labels drawn anew, each from the row of its true class.
// Which are drawn and what they become are functions of the seed alone, so the labels drawn at a lower level are drawn
// at a higher one too, and become the same.
std::vector<int64_t> noisy_labels(const std::vector<int64_t>& labels, const NoiseMatrix& matrix, double level,
                                  int64_t seed);

// "wrong": evenly one of the other classes; "random": evenly one of all, the true one among them; "matrix:FILE": K
// lines of K numbers, with blanks or commas between. Throws a usage error for another kind, and an Error that names the
// line of a file which is no such matrix.
NoiseMatrix noise_matrix(const std::string& kind, int64_t classes);

}  // namespace frgan

// Deliberately corrupted labels, for measuring robustness to label noise (Figure 4 of the paper, A24).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/data/data_options.h"

namespace frgan {

// K x K probabilities. The row is the true class, the column the shown class; each row sums to 1.
using NoiseMatrix = std::vector<std::vector<double>>;

// Returns the labels with a fraction `level` (0 to 1, rounded to whole labels) corrupted: each of these is replaced by
// a class drawn from the matrix row of its true class. Which labels are corrupted and their new classes depend only on
// the seed. Labels corrupted at a lower level are therefore corrupted in the same way at a higher one.
std::vector<int64_t> noisy_labels(const std::vector<int64_t>& labels, const NoiseMatrix& matrix, double level,
                                  int64_t seed);

// The matrix of a kind of label noise.
//   "wrong"        uniform over the other classes
//   "random"       uniform over all classes, including the true one
//   "matrix:FILE"  read from a file: K lines of K numbers, separated by blanks or commas
// Throws a usage error for another kind, and an Error that names the row if the file is not such a matrix.
NoiseMatrix noise_matrix(const std::string& kind, int64_t classes);

}  // namespace frgan

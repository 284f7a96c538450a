// The probabilities with which corrupted labels get their new classes. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace frgan {

// K x K probabilities. The row is the true class, the column the shown class; each row sums to 1.
using NoiseMatrix = std::vector<std::vector<double>>;

// The matrix of a kind of label noise.
//   "wrong"        uniform over the other classes
//   "random"       uniform over all classes, including the true one
//   "matrix:FILE"  read from a file: K lines of K numbers, separated by blanks or commas
// Throws a usage error for another kind, and an Error that names the row if the file is not such a matrix.
NoiseMatrix noise_matrix(const std::string& kind, int64_t classes);

}  // namespace frgan

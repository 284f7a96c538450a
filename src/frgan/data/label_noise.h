// Deliberately corrupted labels, for measuring robustness to label noise (Figure 4 of the paper, A24).
#pragma once

#include <cstdint>
#include <vector>

#include "frgan/data/data_options.h"
#include "frgan/data/noise_matrix.h"

namespace frgan {

// Returns the labels with a fraction `level` (0 to 1, rounded to whole labels) corrupted: each of these is replaced by
// a class drawn from the matrix row of its true class. Which labels are corrupted and their new classes depend only on
// the seed. Labels corrupted at a lower level are therefore corrupted in the same way at a higher one.
std::vector<int64_t> noisy_labels(const std::vector<int64_t>& labels, const NoiseMatrix& matrix, double level,
                                  int64_t seed);

}  // namespace frgan

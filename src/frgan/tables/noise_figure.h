// Figure 4 of the paper: test accuracy with label noise.
#pragma once

#include <string>

#include "frgan/plans/plan_results.h"

namespace frgan {

// Returns an SVG drawing of a plan that varies label-noise only:
// - one panel per row: test accuracy (%) over epochs, mean over seeds, one curve per noise level;
// - a last panel: final test accuracy against the noise level, one curve per row, error bars = standard deviation over
//   seeds.
// Throws an Error if no run is finished.
std::string noise_figure(const PlanResults& results);

}  // namespace frgan

// Accuracy under wrong labels: the paper's Figure 4.
#pragma once

#include <string>

#include "frgan/experiments/plan_results.h"

namespace frgan {

// A panel for each row: test accuracy over epochs, the mean over seeds, one curve for each section; and a last one with
// the final accuracy against the level, a curve for each row, with its standard deviation over seeds as error bars. The
// plan varies label-noise alone. SVG; throws an Error where no run is done.
std::string noise_figure(const PlanResults& results);

}  // namespace frgan

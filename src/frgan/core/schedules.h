// What varies over a run, as pure functions of the share of planned steps that is done (0 to 1; A28).
#pragma once

#include <cstdint>
#include <string>

namespace frgan {

// The ramp-up of the consistency weight, 0 to 1 (A11): 0 before `start`; "gaussian" exp(-5 (1 - T)^2) or "linear" T
// with T = progress / end up to 1; "none" is 1 throughout.
double ramp_up(const std::string& shape, double progress, double start, double end);

// 1 until `start`, then linearly to 0 at the end of the run (A18).
double linear_decay(double progress, double start);

// The decay of the weight average after `updates` updates (A29): "ramp" min(limit, (t + 1) / (t + 10)), the last tenth
// of what was run; "fixed" the limit; "corrected" d (1 - d^t) / (1 - d^(t+1)) for limit d, which is Improved-GAN's
// average from zero with its bias corrected, sum_i d^(t-i) p_i / sum_i d^(t-i).
double average_decay(const std::string& shape, double limit, double updates);

// Whether one of `count` evaluations of a run comes after so many of its steps: a third of them evenly over the first
// four fifths of the run, where a curve is made, and the rest over the last fifth, where a result is read; the last one
// after the last step. A run of few steps has fewer.
bool evaluation_after(int64_t step, int64_t steps, int64_t count);

}  // namespace frgan

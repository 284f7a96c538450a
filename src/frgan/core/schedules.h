// Schedules of a run as pure functions of its progress: the fraction of planned steps that is done, 0 to 1 (A28).
#pragma once

#include <cstdint>

namespace frgan {

enum class RampShape { kGaussian, kLinear, kNone };

// Ramp-up factor of the consistency weight, 0 to 1 (A11). Before `start` it is 0. From then on, with
// T = min(1, progress / end), kGaussian gives exp(-5 (1 - T)^2) and kLinear gives T. kNone is always 1.
double ramp_up(RampShape shape, double progress, double start, double end);

// Factor of the learning rate (A18): 1 until `start`, then linear to 0 at the end of the run. `start` >= 1: always 1.
double linear_decay(double progress, double start);

// Factor of the learning rate in Mean Teacher and temporal ensembling: 1 until `start`, then exp(-12.5 T^2), where T
// rises from 0 to 1 at the end of the run. `start` >= 1: always 1.
double gaussian_decay(double progress, double start);

// Factor of the learning rate in FixMatch: cos(7 pi progress / 16), 1 at the start and 0.2 at the end.
double cosine_decay(double progress);

enum class AverageShape {
  kRamp,       // min(limit, (t + 1) / (t + 10)): the average covers about the last tenth of the steps so far
  kFixed,      // limit
  kCorrected,  // d (1 - d^t) / (1 - d^(t+1)) with d = limit: Improved-GAN's average from zero with its bias corrected,
               // sum_i d^(t-i) p_i / sum_i d^(t-i)
};

// Decay of the weight average after t = `updates` updates (A29).
double average_decay(AverageShape shape, double limit, double updates);

// How many of `count` evaluations are due after `part` of the `whole` of a run. A third of them is spread evenly over
// the first four fifths of the run, for the learning curve. The others are spread over the last fifth, for the result.
// The last one is due at the end. Requires part <= whole <= 2^31 and count <= 10^6.
int64_t evaluations_due(int64_t part, int64_t whole, int64_t count);

}  // namespace frgan

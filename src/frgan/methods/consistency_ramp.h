// The weight of a consistency loss over a run: its maximum, and the ramp-up from 0 (A11, A28, A30).
#pragma once

#include "frgan/core/options.h"
#include "frgan/core/schedules.h"
#include "frgan/methods/method.h"

namespace frgan {

struct ConsistencyRamp {
  double weight = 30.0;
  RampShape shape = RampShape::kGaussian;
  double start = 1.0 / 900.0;
  double end = 80.0 / 900.0;
};
// Declare the fields as options, with their meaning, their range and the reading of the paper that they select
// (docs/options.md). Two functions, because the keys of FR-GAN's runs depend on the order of its options.
void describe_weight(OptionSet& options, ConsistencyRamp& ramp);
void describe_ramp(OptionSet& options, ConsistencyRamp& ramp);
// Throws a usage error if the ramp starts after its end.
void validate(const ConsistencyRamp& ramp);
// The schedule "consistency_weight".
Schedule schedule_of(const ConsistencyRamp& ramp);

}  // namespace frgan

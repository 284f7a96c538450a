#include "frgan/methods/consistency_ramp.h"

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {

void describe_weight(OptionSet& options, ConsistencyRamp& ramp) {
  options.group("Consistency");
  options.add("consistency-weight", ramp.weight,
              "Maximum weight w_max of the consistency term; 0 disables the term (A30: consistency weight).",
              Range<double>{0, 100000});
}

void describe_ramp(OptionSet& options, ConsistencyRamp& ramp) {
  options.group("Consistency");
  options.add(
      "ramp", ramp.shape,
      "Shape of the ramp-up of the consistency weight; none uses the maximum from the first step (A11: ramp-up shape).",
      Words<RampShape>{"gaussian", "linear", "none"});
  options.add("ramp-start", ramp.start,
              "Share of the run during which the consistency weight is 0 (A28: schedules as shares).",
              Range<double>{0, 1});
  options.add("ramp-end", ramp.end,
              "Share of the run after which the consistency weight is at its maximum (A28: schedules as shares).",
              Range<double>{0, 1});
}

void validate(const ConsistencyRamp& ramp) {
  if (ramp.shape == RampShape::kNone || ramp.start <= ramp.end) return;
  throw usage_error(
      fmt::format("invalid --ramp-start {}: must not be greater than --ramp-end {}", ramp.start, ramp.end));
}

Schedule schedule_of(const ConsistencyRamp& ramp) {
  return {"consistency_weight",
          [=](double progress, double) { return ramp.weight * ramp_up(ramp.shape, progress, ramp.start, ramp.end); }};
}

}  // namespace frgan

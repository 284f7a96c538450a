#include "frgan/core/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace frgan {

double ramp_up(RampShape shape, double progress, double start, double end) {
  if (shape == RampShape::kNone) return 1.0;
  if (progress < start) return 0.0;
  const double t = end <= 0 ? 1.0 : std::min(1.0, progress / end);
  return shape == RampShape::kLinear ? t : std::exp(-5.0 * (1.0 - t) * (1.0 - t));
}

double linear_decay(double progress, double start) {
  return progress <= start || start >= 1.0 ? 1.0 : std::max(0.0, (1.0 - progress) / (1.0 - start));
}

double gaussian_decay(double progress, double start) {
  if (progress <= start || start >= 1.0) return 1.0;
  const double t = std::min(1.0, (progress - start) / (1.0 - start));
  return std::exp(-12.5 * t * t);
}

double cosine_decay(double progress) {
  return std::cos(7 * std::numbers::pi / 16 * progress);
}

double average_decay(AverageShape shape, double limit, double updates) {
  switch (shape) {
    case AverageShape::kRamp:
      return std::min(limit, (updates + 1.0) / (updates + 10.0));
    case AverageShape::kFixed:
      return limit;
    case AverageShape::kCorrected:
      return limit * (1.0 - std::pow(limit, updates)) / (1.0 - std::pow(limit, updates + 1.0));
  }
  return limit;
}

int64_t evaluations_due(int64_t part, int64_t whole, int64_t count) {
  const int64_t early = count / 3, late = count - early;
  return 5 * part <= 4 * whole ? early * 5 * part / (4 * whole) : early + late * (5 * part - 4 * whole) / whole;
}

}  // namespace frgan

// Options shared by all methods that train the paper's discriminator: batch size, optimizer, learning rate, weight
// average.
#pragma once

#include <vector>

#include "frgan/core/options.h"
#include "frgan/core/schedules.h"
#include "frgan/methods/method.h"

namespace frgan {

struct ClassifierTraining {
  int64_t batch_size = 100;
  double learning_rate = 3e-4;
  double decay_start = 2.0 / 3.0;
  OptimizerOptions optimizer;
  double average_decay = 0.9999;
  AverageShape average_shape = AverageShape::kRamp;
  int64_t init_images = 500;
};
// Declares each field as an option, with its meaning, its range and the reading of the paper that it selects
// (docs/options.md).
void describe(OptionSet& options, ClassifierTraining& training);

// Throws a usage error if an option was changed that the optimizer does not use.
void validate(const ClassifierTraining& training);

// The schedules "learning_rate", "average_decay" and "one" (constant 1).
std::vector<Schedule> schedules_of(const ClassifierTraining& training);

}  // namespace frgan

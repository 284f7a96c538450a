// Options that every method which trains the paper's discriminator shares: batch, Adam, learning rate, weight average.
#pragma once

#include <vector>

#include "frgan/core/options.h"
#include "frgan/methods/method.h"

namespace frgan {

struct ClassifierTraining {
  int64_t batch_size = 100;
  double learning_rate = 3e-4;
  double decay_start = 2.0 / 3.0;
  OptimizerOptions adam;
  double average_decay = 0.9999;
  std::string average_shape = "ramp";
  int64_t init_images = 500;
};
// Says what each field means, its range or words, and which reading of the paper it decides (also docs/options.md).
void describe(OptionSet& options, ClassifierTraining& training);

// "learning_rate", "average_decay" and "one".
std::vector<Schedule> schedules_of(const ClassifierTraining& training);

}  // namespace frgan

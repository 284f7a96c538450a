// Options shared by all methods that train a classifier: batch size, optimizer, learning rate, weight
// average.
#pragma once

#include <string>
#include <vector>

#include "frgan/core/options.h"
#include "frgan/core/schedules.h"
#include "frgan/methods/method.h"

namespace frgan {

// How the learning rate decays.
enum class DecayShape {
  kLinear,    // to 0 from `decay_start` on
  kCosine,    // cosine_decay, core/schedules.h
  kGaussian,  // gaussian_decay from `decay_start` on
};

struct ClassifierTraining {
  int64_t batch_size = 100;
  double learning_rate = 3e-4;
  DecayShape decay_shape = DecayShape::kLinear;
  double decay_start = 2.0 / 3.0;
  double warm_up = 0;  // share of the run
  OptimizerOptions optimizer;
  double average_decay = 0.9999;
  AverageShape average_shape = AverageShape::kRamp;
  int64_t init_images = 500;
};
// Declares each field as an option, with its meaning, its range and the reading of the paper that it selects
// (docs/options.md).
void describe(OptionSet& options, ClassifierTraining& training);

// The options that were changed but that the optimizer, the decay or the normalization does not use.
std::vector<WithoutEffect> training_options_without_effect(const OptionSet& options);

// A pass over training images, which updates the running batch statistics. Each `part` of a step has its own dropout
// masks.
ForwardPass training_pass(const Batch& batch, Precision precision, uint64_t part);

// The only stage of a method that trains one network. It begins with the data-dependent initialization (A31) of the
// network on --init-images images. The method adds phases and work.
Stage training_stage(const NetworkPtr& network, const ClassifierTraining& training, Precision precision);

// A learning rate with the warm-up and the decay of `training`.
Schedule learning_rate_schedule(std::string name, double learning_rate, const ClassifierTraining& training);
// The schedules "learning_rate", "average_decay" and "one" (constant 1).
std::vector<Schedule> schedules_of(const ClassifierTraining& training);

}  // namespace frgan

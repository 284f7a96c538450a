#include "frgan/methods/classifier_training.h"

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {

void describe(OptionSet& options, ClassifierTraining& training) {
  options.group("Training");
  options.add("batch-size", training.batch_size,
              "Number of images of each kind per step: labeled, unlabeled and generated (A13: mixed batch).",
              Range<int64_t>{1, 65536, "images"});
  options.add("learning-rate", training.learning_rate, "Learning rate until --decay-start (A18: optimizer and epochs).",
              Range<double>{0, 10});
  options.add("decay-start", training.decay_start,
              "Start of the linear decay of the learning rate to 0, as a share of the run (A18: optimizer and epochs; "
              "A28: schedules as shares).",
              Range<double>{0, 1});
  options.add("optimizer", training.optimizer.kind, "Optimizer of the weights.", Words<OptimizerKind>{"adam", "sgd"});
  options.add("beta1", training.optimizer.beta1,
              "Adam's beta1: decay of the running mean of the gradient (A18: optimizer and epochs).",
              Range<double>{0, 0.999999});
  options.add("beta2", training.optimizer.beta2,
              "Adam's beta2: decay of the running mean of the squared gradient (A18: optimizer and epochs).",
              Range<double>{0, 0.999999});
  options.add("epsilon", training.optimizer.epsilon, "Adam's epsilon (A31: data-dependent initialization).",
              Range<double>{1e-16, 1});
  options.add("epsilon-inside-root", training.optimizer.epsilon_inside_root,
              "Divides by sqrt(v + epsilon), as in Improved-GAN, instead of sqrt(v) + epsilon (A31: data-dependent "
              "initialization).");
  options.add("momentum", training.optimizer.momentum, "Momentum of SGD.", Range<double>{0, 0.9999});
  options.add("nesterov", training.optimizer.nesterov, "Uses Nesterov's momentum in SGD.");
  options.add(
      "weight-decay", training.optimizer.weight_decay,
      "Decoupled weight decay: each update first subtracts --learning-rate times this share of each weight; 0 is "
      "none.",
      Range<double>{0, 100});
  options.add(
      "average-decay", training.average_decay,
      "Largest decay of the weight average; the averaged weights are used for classification (A29: weight average).",
      Range<double>{0, 0.9999999});
  options.add("average-shape", training.average_shape,
              "Decay of the weight average after t updates: ramp is min(--average-decay, (t+1)/(t+10)), fixed is "
              "--average-decay, corrected starts from zero with bias correction (A29: weight average).",
              Words<AverageShape>{"ramp", "fixed", "corrected"});
  options.add("init-images", training.init_images,
              "Number of training images from which the initial gains and biases are computed (A31: data-dependent "
              "initialization).",
              Range<int64_t>{2, 100000, "images"});
}

void validate(const ClassifierTraining& training) {
  const OptimizerOptions defaults, &chosen = training.optimizer;
  const bool is_sgd = chosen.kind == OptimizerKind::kSgd;
  const auto reject = [&](std::string_view option) {
    throw usage_error(fmt::format("--{} has no effect on --optimizer {}; remove it or choose --optimizer {}", option,
                                  is_sgd ? "sgd" : "adam", is_sgd ? "adam" : "sgd"));
  };
  if (is_sgd) {
    if (chosen.beta1 != defaults.beta1) reject("beta1");
    if (chosen.beta2 != defaults.beta2) reject("beta2");
    if (chosen.epsilon != defaults.epsilon) reject("epsilon");
    if (chosen.epsilon_inside_root) reject("epsilon-inside-root");
  } else {
    if (chosen.momentum != defaults.momentum) reject("momentum");
    if (!chosen.nesterov) reject("nesterov");
  }
}

std::vector<Schedule> schedules_of(const ClassifierTraining& training) {
  return {
      {"one", [](double, double) { return 1.0; }},
      {"learning_rate",
       [=](double progress, double) { return training.learning_rate * linear_decay(progress, training.decay_start); }},
      {"average_decay",
       [=](double, double updates) { return average_decay(training.average_shape, training.average_decay, updates); }},
  };
}

}  // namespace frgan

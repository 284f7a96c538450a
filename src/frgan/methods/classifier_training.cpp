#include "frgan/methods/classifier_training.h"

namespace frgan {

void describe(OptionSet& options, ClassifierTraining& training) {
  options.group("Training");
  options.add("batch-size", training.batch_size,
              "Number of images of each kind per step: labeled, unlabeled and generated (A13: mixed batch).",
              Range<int64_t>{1, 65536, "images"});
  options.add("learning-rate", training.learning_rate,
              "Learning rate of Adam until --decay-start (A18: optimizer and epochs).", Range<double>{0, 10});
  options.add("decay-start", training.decay_start,
              "Start of the linear decay of the learning rate to 0, as a share of the run (A18: optimizer and epochs; "
              "A28: schedules as shares).",
              Range<double>{0, 1});
  options.add("beta1", training.adam.beta1,
              "Adam's beta1: decay of the running mean of the gradient (A18: optimizer and epochs).",
              Range<double>{0, 0.999999});
  options.add("beta2", training.adam.beta2,
              "Adam's beta2: decay of the running mean of the squared gradient (A18: optimizer and epochs).",
              Range<double>{0, 0.999999});
  options.add("epsilon", training.adam.epsilon, "Adam's epsilon (A31: data-dependent initialization).",
              Range<double>{1e-16, 1});
  options.add("epsilon-inside-root", training.adam.epsilon_inside_root,
              "Divides by sqrt(v + epsilon), as in Improved-GAN, instead of sqrt(v) + epsilon (A31: data-dependent "
              "initialization).");
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

#include "frgan/methods/classifier_training.h"

#include "frgan/core/schedules.h"

namespace frgan {

void describe(OptionSet& options, ClassifierTraining& training) {
  options.group("Training");
  options.add("batch-size", training.batch_size, "Images of each kind in a step: labeled, unlabeled, generated (A13).",
              Range<int64_t>{1, 65536});
  options.add("learning-rate", training.learning_rate, "Adam's learning rate (A18).", Range<double>{0, 10});
  options.add("decay-start", training.decay_start,
              "Share of the run after which the learning rate falls linearly to 0 (A18, A28).", Range<double>{0, 1});
  options.add("beta1", training.adam.beta1, "Adam's decay of the mean of gradients (A18).", Range<double>{0, 0.999999});
  options.add("beta2", training.adam.beta2, "Adam's decay of the mean of squares (A18).", Range<double>{0, 0.999999});
  options.add("epsilon", training.adam.epsilon, "Adam's epsilon (A31).", Range<double>{1e-16, 1});
  options.add("epsilon-inside-root", training.adam.epsilon_inside_root,
              "sqrt(v + epsilon), Improved-GAN's own form, for sqrt(v) + epsilon (A31).");
  options.add("average-decay", training.average_decay, "Decay of the weight average that classifies, at most (A29).",
              Range<double>{0, 0.9999999});
  options.add("average-shape", training.average_shape,
              "ramp: decay min(limit, (t+1)/(t+10)); fixed: the limit; corrected: from zero, bias corrected (A29).",
              Choices{"ramp", "fixed", "corrected"});
  options.add("init-images", training.init_images, "Training images of the data-dependent initialisation (A31).",
              Range<int64_t>{2, 100000});
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

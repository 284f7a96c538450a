#include "frgan/methods/classifier_training.h"

#include <array>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"

namespace frgan {

void describe(OptionSet& options, ClassifierTraining& training) {
  options.group("Training");
  options.add("batch-size", training.batch_size,
              "Number of images of each kind per step: labeled, unlabeled (with FixMatch, times --unlabeled-ratio) and "
              "generated (A13: mixed batch).",
              Range<int64_t>{1, 65536, "images"});
  options.add("learning-rate", training.learning_rate,
              "Largest learning rate, before its decay (A18: optimizer and epochs).", Range<double>{0, 10});
  options.add("decay-shape", training.decay_shape,
              "Decay of the learning rate. linear falls to 0 from --decay-start on. cosine is cos(7 pi p / 16) at the "
              "share p of the run, and ends at 0.2. gaussian is exp(-12.5 T^2), where T rises from 0 at --decay-start "
              "to 1 at the end.",
              Words<DecayShape>{"linear", "cosine", "gaussian"});
  options.add("decay-start", training.decay_start,
              "Start of the linear or gaussian decay of the learning rate, as a share of the run (A18: optimizer and "
              "epochs; A28: schedules as shares).",
              Range<double>{0, 1});
  options.add("warm-up", training.warm_up,
              "Share of the run in which the learning rate rises, as exp(-5 (1 - T)^2) with T from 0 to 1; 0 is none.",
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
      "Decoupled weight decay: each update first subtracts the learning rate times this share of each weight that "
      "is not weight-normalized; 0 is none.",
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

std::vector<WithoutEffect> training_options_without_effect(const OptionSet& options) {
  // An option, and the word of another one without which it has no effect.
  struct Need {
    std::string_view option, of, word, other_word = {};
  };
  constexpr std::array kNeeds{Need{"momentum", "optimizer", "sgd"},
                              Need{"nesterov", "optimizer", "sgd"},
                              Need{"beta1", "optimizer", "adam"},
                              Need{"beta2", "optimizer", "adam"},
                              Need{"epsilon", "optimizer", "adam"},
                              Need{"epsilon-inside-root", "optimizer", "adam"},
                              Need{"decay-start", "decay-shape", "linear", "gaussian"},
                              Need{"zca-epsilon", "normalization", "zca"},
                              Need{"components", "normalization", "pca"}};
  std::vector<WithoutEffect> found;
  std::map<std::string_view, const Option*> known;
  for (const Option& option : options.all()) known[option.name] = &option;
  for (const Need& need : kNeeds) {
    const auto option = known.find(need.option), of = known.find(need.of);
    if (option == known.end() || option->second->value() == option->second->initial) continue;
    if (of->second->value() == need.word || of->second->value() == need.other_word) continue;
    found.push_back(
        {std::string(need.option), fmt::format("--{} has no effect on --{} {}; remove it or choose --{} {}",
                                               need.option, need.of, of->second->value().text(), need.of, need.word)});
  }
  return found;
}

namespace {

double decay_of(const ClassifierTraining& training, double progress) {
  switch (training.decay_shape) {
    case DecayShape::kLinear:
      return linear_decay(progress, training.decay_start);
    case DecayShape::kCosine:
      return cosine_decay(progress);
    case DecayShape::kGaussian:
      return gaussian_decay(progress, training.decay_start);
  }
  return 1;
}

}  // namespace

ForwardPass training_pass(const Batch& batch, Precision precision, uint64_t part) {
  return {.stochastic = true,
          .dropout_key = random_key(batch.dropout_key, Stream::kDropout, part),
          .precision = precision,
          .statistics = BatchStatistics::kBatchAndTrack,
          .updates = batch.updates};
}

// The same pass as in FR-GAN, so that all methods start from the same weights at the same seed.
Stage training_stage(const NetworkPtr& network, const ClassifierTraining& training, Precision precision) {
  const auto initialize = [=](const Batch& batch) {
    const torch::NoGradGuard no_grad;
    ForwardPass pass = training_pass(batch, precision, 0);
    pass.initialize = true;
    pass.statistics = BatchStatistics::kBatch;
    network->forward(batch.from(Pool::kAll).views[0], pass);
  };
  return {.name = "training", .initial_batch = {{{Pool::kAll, training.init_images}}}, .initialize = initialize};
}

Schedule learning_rate_schedule(std::string name, double learning_rate, const ClassifierTraining& training) {
  const RampShape warm_up = training.warm_up > 0 ? RampShape::kGaussian : RampShape::kNone;
  return {std::move(name), [=](double progress, double) {
            return learning_rate * ramp_up(warm_up, progress, 0, training.warm_up) * decay_of(training, progress);
          }};
}

std::vector<Schedule> schedules_of(const ClassifierTraining& training) {
  return {
      {"one", [](double, double) { return 1.0; }},
      learning_rate_schedule("learning_rate", training.learning_rate, training),
      {"average_decay",
       [=](double, double updates) { return average_decay(training.average_shape, training.average_decay, updates); }},
  };
}

}  // namespace frgan

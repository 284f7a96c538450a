// What a method is: networks, and the phases of a training step. The trainer does the rest.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/batch.h"
#include "frgan/core/options.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/forward_pass.h"

namespace frgan {

// One term of a loss: the player's loss is the sum of weight * value, and each value is logged under its name.
struct Loss {
  std::string name;
  std::string weight;  // the schedule that weighs it
  at::Tensor value;    // 0-dim
};
using Losses = std::vector<Loss>;

// A number that varies over the run: a function of the share of planned steps that is done, and of the updates so far.
struct Schedule {
  std::string name;
  std::function<double(double progress, double updates)> value;
};

// The schedules' values for one pass, as 0-dim tensors on the training device: filled before the pass, so that nothing
// in it waits for the host.
class StepScalars {
 public:
  StepScalars(std::vector<std::string> names, at::Tensor values)
      : names_(std::move(names)), values_(std::move(values)) {}
  at::Tensor operator[](const std::string& name) const;

 private:
  std::vector<std::string> names_;
  at::Tensor values_;  // 1-D, in the order of the names
};

// Adam's numbers, all but the learning rate, which is a schedule.
struct OptimizerOptions {
  double beta1 = 0.5;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  bool epsilon_inside_root = false;  // sqrt(v + epsilon), Improved-GAN's own form, for sqrt(v) + epsilon
};

// One network in training with its optimizer.
struct Player {
  std::string name;
  std::shared_ptr<torch::nn::Module> network;
  OptimizerOptions optimizer;
  std::string learning_rate = "learning_rate";  // its schedule
  std::string average_decay;                    // the schedule of its weight average, which classifies; empty: none
};

// One pass: all players' losses are differentiated, each with respect to its own parameters, before any is updated.
struct Phase {
  std::string name;
  BatchRequest batch;
  int64_t repeat = 1;  // k discriminator steps for one of the generator
  std::vector<std::string> players;
  std::function<std::vector<Losses>(const Batch&)> losses;  // one list per player
};

// A part of the run with phases of its own. The trainer knows methods of one stage; those of more are to come.
struct Stage {
  std::string name;
  BatchRequest initial_batch;                      // what `initialize` gets
  std::function<void(const Batch&)> initialize{};  // the data-dependent pass (A31); may be empty
  std::vector<Phase> phases{};
};

// Images that enter a network in one step.
inline int64_t images_per_step(const Stage& stage) {
  int64_t images = 0;
  for (const Phase& phase : stage.phases) images += phase.repeat * images_of(phase.batch);
  return images;
}

// Images of one step by which epochs are counted: unlabeled ones, or labeled ones where a method sees no others, so
// that it has the steps of one that sees as many unlabeled: equal work in steps.
inline int64_t epoch_images_per_step(const Stage& stage) {
  const BatchRequest& batch = stage.phases.front().batch;
  return batch.unlabeled > 0 ? batch.unlabeled : batch.labeled;
}

// What a method is built for.
struct Problem {
  ImageShape shape;
  uint64_t seed = 0;
  Precision precision = Precision::kFull;
  at::ScalarType dtype = at::kFloat;  // of the parameters; double in golden tests
  at::Device device = at::kCPU;
};

// A method brings its own options, builds its networks, hands over its stages and says which network classifies.
//
//   std::unique_ptr<Method> method = create_method("fr-gan");
//   OptionSet options; method->describe(options);   // the method's fields, set by the caller
//   method->build(problem);
//   for (const Stage& stage : method->stages()) ...
class Method {
 public:
  virtual ~Method() = default;
  virtual void describe(OptionSet& options) = 0;
  // Rules across options; throws a usage error.
  virtual void validate() const {}
  virtual void build(const Problem& problem) = 0;

  virtual std::vector<Player> players() const = 0;
  virtual std::vector<Schedule> schedules() const = 0;
  virtual std::vector<Stage> stages() = 0;
  // Work of a training step: 2 x multiply-adds of convolutions and dense layers (docs/performance.md). A forward pass
  // counts 1, backward to parameters and input 2, also at the first layer, and backward to the input alone 1.
  virtual double step_flop() const = 0;
  // The noise of the generator: "symmetric" U[-1, 1], "unit" U[0, 1] (A16); empty without a generator.
  virtual std::string noise_range() const { return ""; }

  // A network like the one that classifies, with weights of its own: it takes the weight average.
  virtual Discriminator make_classifier() const = 0;
  // Images -1 to 1 from noise, by the last weights (A32); undefined without a generator.
  virtual at::Tensor generate(const at::Tensor& /*noise*/) { return {}; }
  virtual int64_t noise_size() const { return 0; }
  // `count` vectors of it, for images that are looked at: a function of the key. Only with a generator.
  at::Tensor sampling_noise(int64_t count, uint64_t key, const Problem& problem) const;
};

}  // namespace frgan

// Interface of a training method: its networks and the phases of a training step. The trainer runs the steps.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/options.h"
#include "frgan/device/batch.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// One term of a player's loss. The player's loss is the sum of weight * value; each value is logged under its name. A
// value without a weight is only logged.
struct Loss {
  std::string name;
  std::string weight;  // name of the schedule that gives its weight; empty: no term of the loss
  at::Tensor value;    // 0-dim
};
using Losses = std::vector<Loss>;

// A value that varies over the run. `progress` is the completed share of the stage, 0 to 1; `updates` is the number of
// passes of this phase so far. For the decay of a follower, it is the number of updates of the player.
struct Schedule {
  std::string name;
  std::function<double(double progress, double updates)> value;
};

// The values of the schedules for one pass, as 0-dim tensors on the training device. They are filled before the pass,
// so that the pass needs no host synchronization.
class StepScalars {
 public:
  StepScalars(std::vector<std::string> names, at::Tensor values)
      : names_(std::move(names)), values_(std::move(values)) {}
  // Throws c10::Error for an unknown name.
  at::Tensor operator[](const std::string& name) const;

 private:
  std::vector<std::string> names_;
  at::Tensor values_;  // 1-D, in the order of the names
};

enum class OptimizerKind { kAdam, kSgd };

// The optimizer of a player, except the learning rate, which is a schedule.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double beta1 = 0.5;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  bool epsilon_inside_root = false;  // sqrt(v + epsilon), as in Improved-GAN, instead of sqrt(v) + epsilon
  double momentum = 0.9;             // of SGD
  bool nesterov = true;              // of SGD
  double weight_decay = 0;           // decoupled, of weights (train/optimizer.h)
};

// How the buffers of a follower (batch statistics) follow those of the network.
enum class FollowerBuffers {
  kCopied,    // equal after each update
  kAveraged,  // like the weights
  kOwn,       // the follower's own, which only its forward passes change
};

// A copy of a player's network, or of a part of it, whose weights are a running average of the player's: the classifier
// of a method, or a teacher. It follows after each update of the player, and starts equal to the network when the first
// stage that trains the player starts. Frozen parameters (requires_grad is false) are copied when any such stage
// starts.
struct Follower {
  std::string name;  // of its file in a checkpoint; kAverage for the classifier
  NetworkPtr network;
  std::string decay;  // name of its schedule
  FollowerBuffers buffers = FollowerBuffers::kCopied;
  std::string part = "";  // prefix of the followed tensors of the player: "classifier."; empty: all
};
inline constexpr const char* kAverage = "average";

// One network in training, with its optimizer.
struct Player {
  std::string name;
  std::shared_ptr<torch::nn::Module> network;
  OptimizerOptions optimizer;
  std::string learning_rate = "learning_rate";  // name of its schedule
  std::vector<Follower> followers{};
};

// One pass and its updates. The losses of all players are differentiated before any player is updated, each with
// respect to the player's own parameters.
struct Phase {
  std::string name;
  BatchRequest batch;
  int64_t repeat = 1;  // passes per training step; k for the discriminator of FR-GAN
  std::vector<std::string> players;
  std::function<std::vector<Losses>(const Batch&)> losses;  // one list per entry of `players`
  std::function<void(const Batch&)> after{};                // runs after the updates, without gradients; may be empty
};

// A part of the run with its own phases. Schedules see the progress of the stage, 0 to 1.
struct Stage {
  std::string name;
  double share = 1;                                // of the run; the shares of a method add up to 1
  BatchRequest initial_batch;                      // batch passed to `initialize`
  std::function<void(const Batch&)> initialize{};  // the data-dependent pass (A31); may be empty
  std::vector<Phase> phases{};
  // FLOP of a step: 2 x multiply-adds of convolutions and dense layers (docs/performance.md). In units of a forward
  // pass, a backward pass to parameters and input counts 2, even at the first layer. A backward pass to the input only
  // counts 1.
  double step_flop = 0;
};

// Number of images that are passed through a network in one step.
inline int64_t images_per_step(const Stage& stage) {
  int64_t images = 0;
  for (const Phase& phase : stage.phases) images += phase.repeat * images_of(phase.batch);
  return images;
}

// Images per step for counting epochs: unlabeled images, or labeled images if the stage uses no unlabeled ones.
inline int64_t epoch_images_per_step(const Stage& stage) {
  int64_t labeled = 0;
  for (const Draw& draw : stage.phases.front().batch.draws) {
    if (draw.pool != Pool::kLabeled) return draw.count;
    labeled = draw.count;
  }
  return labeled;
}

// The mean of a number of each stage over the steps of a run, such as images_per_step.
template <class Number>
double mean_over_stages(const std::vector<Stage>& stages, const Number& number) {
  double mean = 0;
  for (const Stage& stage : stages) mean += stage.share * static_cast<double>(number(stage));
  return mean;
}
// The augmentation policies of the images of all phases, each once.
std::vector<std::string> augmentation_policies_of(const std::vector<Stage>& stages);

inline double mean_step_flop(const std::vector<Stage>& stages) {
  return mean_over_stages(stages, [](const Stage& stage) { return stage.step_flop; });
}

// Makes images from noise vectors, with the last weights (A32).
struct Sampler {
  int64_t noise_size = 0;  // numbers in a noise vector
  NoiseKind noise = NoiseKind::kSymmetric;
  bool class_conditional = false;
  // Images N x C x S x S in [-1, 1] from noise N x noise_size and the classes N (int64), which are undefined unless
  // `class_conditional`.
  std::function<at::Tensor(const at::Tensor& noise, const at::Tensor& classes)> images;
};

// The task and hardware that a method is built for.
struct Problem {
  ImageShape shape;
  uint64_t seed = 0;
  Precision precision = Precision::kFull;
  at::ScalarType dtype = at::kFloat;  // type of the parameters; double in golden tests
  at::Device device = at::kCPU;
  // Images of Pool::kAll and those among them that have a label; 0 outside training.
  int64_t train_images = 0, labeled_images = 0;
};

// `count` images of the sampler, a function of the key. With classes, image i has class (first + i) mod K, or `label`
// if it is not negative.
at::Tensor sampled_images(const Sampler& sampler, int64_t count, uint64_t key, const Problem& problem,
                          int64_t first = 0, int64_t label = -1);

// Throws a usage error if the network cannot take the normalized images, or if batches are too small for its
// batch statistics.
void check_network(const NetworkOptions& options, int64_t batch_size);

// A new network with the weights of the seed, on the device.
NetworkPtr build_network(const NetworkOptions& options, const Problem& problem);

// A method declares its options, builds its networks, defines its stages and provides the classifier.
//
//   std::unique_ptr<Method> method = create_method("fr-gan");
//   OptionSet options; method->describe(options);   // the caller then sets the options
//   method->build(problem);
//   for (const Stage& stage : method->stages()) ...
// Outputs for labeled images, on the CPU.
struct CrossValidated {
  at::Tensor logits;  // N x K, double
  at::Tensor labels;  // int64, N
};

class Method {
 public:
  virtual ~Method() = default;
  virtual void describe(OptionSet& options) = 0;
  // Checks combinations of options; throws a usage error.
  virtual void validate() const {}
  // The options that were changed but have no effect on the method.
  virtual std::vector<WithoutEffect> options_without_effect() const { return {}; }
  virtual void build(const Problem& problem) = 0;

  virtual std::vector<Player> players() const = 0;
  virtual std::vector<Schedule> schedules() const = 0;
  virtual std::vector<Stage> stages() = 0;

  // Tensors of the method that are part of the state of a run: targets, thresholds, queues. Only `initialize`, `losses`
  // and `after` change them, in place. An update that --skip-outliers reverts does not revert them.
  virtual NamedTensors state() const { return {}; }

  // The network whose features some views show (is_feature_view). Only its last layer is trained. Null if the method
  // requests no such views.
  virtual NetworkPtr encoder() const { return nullptr; }

  // The labeled images that the method classified by cross-validation, with classifiers that did not see them. They
  // calibrate the classifier. Nothing if the method has none.
  virtual std::optional<CrossValidated> cross_validated() const { return {}; }

  // A new network with the architecture of the classifier and its own weights. Needs no call of `build`. After `build`,
  // the classifier is the follower kAverage of a player.
  virtual NetworkPtr make_classifier(const Problem& problem) const = 0;
  // Nothing without a generator. Its images need a built method.
  virtual std::optional<Sampler> sampler() { return {}; }
};

}  // namespace frgan

// Training step of any method, and the state that it updates.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/core/step_plan.h"
#include "frgan/data/batch_plan.h"
#include "frgan/data/batch_stream.h"
#include "frgan/device/batch.h"
#include "frgan/device/packed_inputs.h"
#include "frgan/methods/method.h"
#include "frgan/nn/flat_parameters.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/report/step_record.h"
#include "frgan/train/optimizer.h"
#include "frgan/train/outlier_detector.h"

namespace frgan {

// Where the batches of the phases come from: the host plans a batch, and the device computes it. `part` tells the
// phases of all stages apart, `draw` is the number of batches that the phase used before. Both are pure functions of
// their arguments, so that training can resume at any step.
struct BatchSource {
  // NOLINTBEGIN(google-explicit-constructor)
  // The batches of a stream, which must outlive this object.
  BatchSource(BatchStream& stream);
  // Batches that batches(request, draw, part) makes on the device.
  BatchSource(std::function<Batch(const BatchRequest&, uint64_t draw, uint64_t part)> batches);
  template <std::invocable<const BatchRequest&, uint64_t, uint64_t> Batches>
  BatchSource(Batches batches)
      : BatchSource(std::function<Batch(const BatchRequest&, uint64_t, uint64_t)>(std::move(batches))) {}
  // NOLINTEND(google-explicit-constructor)

  std::function<BatchPlan(const BatchRequest&, uint64_t draw, uint64_t part)> plan;
  std::function<Batch(const BatchRequest&, const BatchPlan&)> gather;
};

// Trains a built method. A step never synchronizes host and device.
//
//   Trainer trainer(*method, problem, batches, /*steps=*/3000);
//   trainer.initialize();
//   while (trainer.steps_done() < 3000) trainer.step();
class Trainer {
 public:
  // With `outlier_limit` above 0, updates whose loss or gradient norm is an outlier are skipped: weights, moments and
  // weight average keep their values (train/outlier_detector.h).
  Trainer(Method& method, const Problem& problem, BatchSource batches, int64_t planned_steps, double outlier_limit = 0);

  // Runs the initialization of the first stage (A31). Followers start from its result.
  void initialize();
  // Throws a usage error if the plan is too short for one step of each stage.
  void check_length() const;
  // Runs a step of a stage for its timing, as if it were the first one. It changes the state.
  void trial_step(size_t stage);
  // Whether the stage of the last step, or an earlier one, trains the classifier.
  bool has_trained_classifier() const;
  // The share of the run before the first stage that trains the classifier.
  double classifier_begin() const;
  // Makes all followers equal to what they follow.
  void reset_followers();
  // One step. The first step of a later stage begins with the initialization of the stage.
  void step();

  // The stage of the next step.
  const Stage& stage() const { return stages_[stage_at(step_)]; }
  const std::vector<Stage>& stages() const { return stages_; }
  int64_t steps_done() const { return step_; }
  // The length of the run, of which schedules are fractions. It may change while the run trains.
  const StepPlan& plan() const { return plan_; }
  StepPlan& plan() { return plan_; }

  // Returns the mean of each loss term since the last call, in the order of the step. Waits for the device.
  std::vector<std::pair<std::string, double>> take_losses();
  // The updates since the last call and those among them that were skipped as outliers; 0 without an outlier limit.
  // Waits for the device.
  SkippedUpdates take_skipped();
  // Resets the sums of losses and the record of non-finite losses.
  void discard_losses();
  // The first loss term that was NaN or infinite, and its step, counted from 1; nullopt if all were finite. Waits for
  // the device.
  struct NonFinite {
    std::string term;
    int64_t step;
  };
  std::optional<NonFinite> first_non_finite() const;
  // The first tensor of the state (weights, state of the optimizers, followers) with a NaN or infinite value, such as
  // "model/discriminator.conv1.direction"; nullopt if all are finite. Waits for the device.
  std::optional<std::string> first_non_finite_tensor() const;
  // Value of a schedule (learning rate, loss weight) after the fraction `progress` of the stage.
  double scheduled(const std::string& name, double progress) const;
  // Progress of the stage of the next step, 0 to 1.
  double progress() const;
  // The learning rate of the first player that trains in the stage of the next step.
  double learning_rate() const;
  // A loss term and the name of the schedule of its weight.
  struct Term {
    std::string name, weight;  // without a weight: only logged
  };
  const std::vector<Term>& terms() const { return terms_; }  // empty before the first step

  // The follower kAverage, which classifies; null if the method has none.
  NetworkPtr classifier() const;

  // Everything that the next step depends on, by checkpoint file and tensor name: "model", "optimizer", one file per
  // follower ("average"), "method" if the method has tensors, and "outliers" if outliers are skipped. The tensors are
  // views: writing to them changes the state.
  TensorFiles state() const;
  // Copies saved tensors into the state and continues at `step`. `source` names their origin in messages. Throws an
  // Error on an architecture mismatch.
  void restore(const TensorFiles& saved, int64_t step, const std::string& source);

 private:
  struct FollowerState {
    Follower follower;
    FlatParameters parameters;
    // What it follows, in the same order.
    at::Tensor followed_values, followed_buffers, followed_frozen;
    at::Tensor buffers_before = {};  // before the pass, if outliers are skipped
  };
  struct PlayerState {
    Player player;
    FlatParameters parameters;
    std::unique_ptr<Optimizer> optimizer;
    std::optional<WeightDecay> decay = {};
    std::vector<FollowerState> followers = {};
    std::optional<OutlierDetector> outliers = {};
    at::Tensor buffers_before = {};  // before the pass, if outliers are skipped
    at::Tensor loss = {};            // weighted sum of the last batch
  };
  // A pass: which phase, and its repetition within the step.
  struct Pass {
    size_t stage, phase;
    int64_t repetition;
    uint64_t number;  // passes of this phase before
  };

  void run_stage(size_t stage, int64_t steps_before);

  size_t classifier_stage() const;
  // The stage of a step, and the first step of a stage. Both follow from the progress of the plan.
  size_t stage_at(int64_t step) const;
  int64_t first_step(size_t stage) const;
  double share_before(size_t stage) const;  // of the run
  double stage_progress(size_t stage, double run_progress) const;
  // Updates of a player before a pass.
  int64_t updates_before(const std::string& player, const Pass& pass) const;
  void initialize_stage(size_t stage);
  static void reset_followers(PlayerState& player);

  // The names and the values of the schedules for a pass, on the host.
  std::pair<std::vector<std::string>, at::Tensor> scalars_of(const Phase& phase, const Pass& pass);
  void run_phase(const Phase& phase, const Pass& pass);
  void differentiate(PlayerState& player, const Losses& losses, const StepScalars& scalars, bool keep_graph);
  void keep_buffers(PlayerState& player);
  void update(PlayerState& player, const StepScalars& scalars, int64_t number);
  void apply_update(PlayerState& player, const StepScalars& scalars);
  static void follow(FollowerState& follower, const at::Tensor& decay);
  // Adds the losses to their slots and records the first non-finite one, on the device.
  void record_losses(const std::vector<Losses>& losses, const Pass& pass, const StepScalars& scalars);
  PlayerState& player(const std::string& name);
  const Schedule& schedule(const std::string& name) const;

  Problem problem_;
  BatchSource batches_;
  StepPlan plan_;
  int64_t step_ = 0;
  std::vector<Stage> stages_;
  std::vector<Schedule> schedules_;
  std::vector<PlayerState> players_;
  NamedTensors method_state_;
  std::map<std::pair<size_t, size_t>, PackedInputs> inputs_;  // by stage and phase

  // Loss terms by slot. Each phase has its own slots, which its repetitions share.
  std::vector<Term> terms_;
  std::map<std::pair<size_t, size_t>, size_t> first_slots_;  // by stage and phase
  std::vector<int64_t> term_counts_;                         // number of values in each sum
  at::Tensor term_sums_;                                     // since the last take_losses
  at::Tensor skipped_;                                       // int64: skipped updates since the last take_skipped
  int64_t updates_ = 0;                                      // all updates since then
  at::Tensor first_non_finite_;  // int64: step * kTermSlots + slot of the first non-finite loss, or -1
};

}  // namespace frgan

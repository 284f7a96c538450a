// The training step of any method, and the state it carries from step to step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/core/batch.h"
#include "frgan/methods/method.h"
#include "frgan/nn/flat_parameters.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/train/adam.h"

namespace frgan {

// Gives the batch of a phase that took `draw` batches before it; `part` is the phase. A pure function of the three, so
// that training can go on at any step.
using BatchSource = std::function<Batch(const BatchRequest&, uint64_t draw, uint64_t part)>;

// Trains a built method of one stage. A step is a function of device tensors: nothing in it waits for the host.
//
//   Trainer trainer(*method, problem, batches, /*steps=*/3000);
//   trainer.initialize();
//   while (trainer.steps_done() < 3000) trainer.step();
class Trainer {
 public:
  Trainer(Method& method, const Problem& problem, BatchSource batches, int64_t planned_steps);

  // The data-dependent pass of the first stage; the weight average starts from its result.
  void initialize();
  void step();

  const Stage& stage() const { return stage_; }
  int64_t steps_done() const { return step_; }
  int64_t planned_steps() const { return planned_steps_; }
  // Schedules are shares of the planned steps; a time budget fixes them only after a few were timed.
  void plan(int64_t steps) { planned_steps_ = steps; }

  // The mean of each loss term since the last call, in the order of the step. Waits for the device.
  std::vector<std::pair<std::string, double>> take_losses();
  // As if no step had been taken: no sums, and no loss that was not finite.
  void forget_losses();
  // The first loss term that was not finite, and its step, counted from 1; nullopt while all are. Waits for the device.
  struct NonFinite {
    std::string term;
    int64_t step;
  };
  std::optional<NonFinite> first_non_finite() const;
  // The first tensor of the state that is not finite, "model/discriminator.conv1.direction" or one of Adam's moments or
  // the average; nullopt while all are. Waits for the device.
  std::optional<std::string> first_non_finite_tensor() const;
  // A schedule's value where that share of the run is done: learning rate and weights for the log.
  double scheduled(const std::string& name, double progress) const;
  double progress() const { return static_cast<double>(step_) / static_cast<double>(planned_steps_); }
  // A loss term and the schedule that weighs it, known after the first step.
  struct Term {
    std::string name, weight;
  };
  const std::vector<Term>& terms() const { return terms_; }

  // The network with averaged weights; not defined where the method averages none.
  Discriminator classifier() const { return classifier_; }

  // Everything that the next step depends on, as views: writing into them restores it. By file of a checkpoint:
  // "model", "optimizer" and "average", each name -> tensor.
  TensorFiles state() const;
  // Copies saved tensors into the state and continues at `step`; throws Error where they are of another architecture.
  void restore(const TensorFiles& saved, int64_t step, const std::string& source);

 private:
  struct PlayerState {
    Player player;
    FlatParameters parameters;
    Adam adam;
  };

  StepScalars scalars_of(const Phase& phase, int64_t repetition);
  size_t run_phase(const Phase& phase, uint64_t phase_index, int64_t repetition, size_t first_slot);
  void differentiate(PlayerState& player, const Losses& losses, const StepScalars& scalars, bool keep_graph);
  void update(PlayerState& player, const StepScalars& scalars);
  // Adds the losses to their slots and keeps the first that is not finite, on the device; returns how many there are.
  size_t note(const std::vector<Losses>& losses, size_t first_slot, const StepScalars& scalars);
  PlayerState& player(const std::string& name);

  Problem problem_;
  BatchSource batches_;
  int64_t planned_steps_;
  int64_t step_ = 0;
  Stage stage_;
  std::vector<Schedule> schedules_;
  std::vector<PlayerState> players_;
  Discriminator classifier_{nullptr};
  std::optional<FlatParameters> average_;

  // Loss terms by slot: every phase has slots of its own, and repetitions of a phase share them.
  std::vector<Term> terms_;
  std::vector<int64_t> term_counts_;  // values in each sum
  at::Tensor term_sums_;              // since the last take_losses
  at::Tensor first_non_finite_;       // int64: step * kTermSlots + slot of the first loss that was not finite, or -1
};

}  // namespace frgan

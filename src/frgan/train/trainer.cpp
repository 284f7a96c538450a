#include "frgan/train/trainer.h"

#include <algorithm>
#include <utility>

#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/types.h>

namespace frgan {
namespace {

constexpr int64_t kTermSlots = 64;
constexpr uint64_t kInitialPart = 1'000'000'000;  // `part` of the initialization batch, distinct from all phases

void copy_buffers(const torch::nn::Module& from, const torch::nn::Module& to) {
  const auto target = to.named_buffers();
  for (const auto& item : from.named_buffers()) target[item.key()].copy_(item.value());
}

}  // namespace

Trainer::Trainer(Method& method, const Problem& problem, BatchSource batches, int64_t planned_steps,
                 double outlier_limit)
    : problem_(problem),
      batches_(std::move(batches)),
      plan_(planned_steps),
      schedules_(method.schedules()),
      term_sums_(at::zeros({kTermSlots}, at::TensorOptions(problem.device).dtype(problem.dtype))),
      skipped_(at::zeros({}, at::TensorOptions(problem.device).dtype(at::kLong))),
      first_non_finite_(at::full({}, -1, at::TensorOptions(problem.device).dtype(at::kLong))) {
  std::vector<Stage> stages = method.stages();
  TORCH_CHECK(stages.size() == 1, "the method has ", stages.size(), " stages; the trainer supports one");
  stage_ = std::move(stages.front());
  for (const Player& member : method.players()) {
    FlatParameters parameters(*member.network);
    players_.push_back({member, parameters, Adam(parameters, member.optimizer)});
    if (outlier_limit > 0) players_.back().outliers.emplace(outlier_limit, at::TensorOptions(problem.device));
    if (member.average_decay.empty()) continue;
    TORCH_CHECK(!average_, "the method has two weight averages; the trainer supports one");
    classifier_ = method.make_classifier();
    average_.emplace(*classifier_);
  }
}

void Trainer::initialize() {
  const torch::NoGradGuard no_grad;
  if (stage_.initialize) stage_.initialize(batches_(stage_.initial_batch, 0, kInitialPart));
  for (const PlayerState& state : players_) {
    if (state.player.average_decay.empty()) continue;
    average_->values().copy_(state.parameters.values());
    copy_buffers(*state.player.network, *classifier_);
  }
}

void Trainer::step() {
  size_t first_slot = 0;
  for (size_t index = 0; index < stage_.phases.size(); ++index) {
    const Phase& phase = stage_.phases[index];
    size_t slots = 0;
    for (int64_t repetition = 0; repetition < phase.repeat; ++repetition) {
      slots = run_phase(phase, index, repetition, first_slot);
    }
    first_slot += slots;
  }
  ++step_;
}

size_t Trainer::run_phase(const Phase& phase, uint64_t phase_index, int64_t repetition, size_t first_slot) {
  RECORD_USER_SCOPE(phase.name);  // for profiles; free when no profiler is active
  const StepScalars scalars = scalars_of(phase, repetition);
  const Batch batch = batches_(phase.batch, static_cast<uint64_t>(step_ * phase.repeat + repetition), phase_index);
  const std::vector<Losses> losses = phase.losses(batch);
  for (size_t i = 0; i < losses.size(); ++i) {
    differentiate(player(phase.players[i]), losses[i], scalars, /*keep_graph=*/i + 1 < losses.size());
  }
  for (const std::string& name : phase.players) update(player(name), scalars, step_ * phase.repeat + repetition);
  return record_losses(losses, first_slot, scalars);
}

// Values of all schedules at this step, and of the Adam scalars of each player at its next update.
StepScalars Trainer::scalars_of(const Phase& phase, int64_t repetition) {
  std::vector<std::string> names{"step"};
  std::vector<double> values{static_cast<double>(step_)};
  const double updates = static_cast<double>(step_ * phase.repeat + repetition);
  for (const Schedule& schedule : schedules_) {
    names.push_back(schedule.name);
    values.push_back(schedule.value(progress(), updates));
  }
  const size_t schedules = names.size();
  for (const std::string& name : phase.players) {
    const PlayerState& state = player(name);
    const auto rate =
        std::find(names.begin(), names.begin() + static_cast<int64_t>(schedules), state.player.learning_rate);
    TORCH_CHECK(rate != names.begin() + static_cast<int64_t>(schedules),
                "unknown schedule: ", state.player.learning_rate);
    const auto numbers = state.adam.scalar_values(values[rate - names.begin()], updates + 1);
    const auto number_names = state.adam.scalar_names(name);
    names.insert(names.end(), number_names.begin(), number_names.end());
    values.insert(values.end(), numbers.begin(), numbers.end());
  }
  const at::Tensor host = at::tensor(values, at::TensorOptions().dtype(problem_.dtype));
  return {std::move(names), host.to(problem_.device, /*non_blocking=*/true)};
}

void Trainer::differentiate(PlayerState& state, const Losses& losses, const StepScalars& scalars, bool keep_graph) {
  at::Tensor total;
  for (const Loss& loss : losses) {
    const at::Tensor weighted = scalars[loss.weight] * loss.value;
    total = total.defined() ? total + weighted : weighted;
  }
  state.parameters.gradients().zero_();
  total.backward({}, keep_graph, /*create_graph=*/false, state.parameters.parameters());
  state.loss = total.detach();
}

// Applies update `number` of a player, counted from 0. Updates of outliers are applied and then reverted on the device:
// a decision on the CPU would wait for the device.
void Trainer::update(PlayerState& state, const StepScalars& scalars, int64_t number) {
  const torch::NoGradGuard no_grad;
  if (!state.outliers) return apply_update(state, scalars);
  ++updates_;
  const at::Tensor skip = state.outliers->is_outlier(number, state.loss, state.parameters.gradients().norm());
  std::vector<at::Tensor> changed{state.parameters.values(), state.adam.mean, state.adam.square};
  if (!state.player.average_decay.empty()) changed.push_back(average_->values());
  std::vector<at::Tensor> before;
  before.reserve(changed.size());
  for (const at::Tensor& tensor : changed) before.push_back(tensor.clone());
  apply_update(state, scalars);
  for (size_t i = 0; i < changed.size(); ++i) changed[i].copy_(at::where(skip, before[i], changed[i]));
  skipped_.add_(skip);
}

void Trainer::apply_update(PlayerState& state, const StepScalars& scalars) {
  const auto names = state.adam.scalar_names(state.player.name);
  state.adam.step(scalars[names[0]], scalars[names[1]]);
  if (state.player.average_decay.empty()) return;
  RECORD_FUNCTION("frgan::average", c10::ArrayRef<const c10::IValue>{});
  const at::Tensor rest = 1 - scalars[state.player.average_decay];
  average_->values().add_((state.parameters.values() - average_->values()).mul_(rest));
}

size_t Trainer::record_losses(const std::vector<Losses>& losses, size_t first_slot, const StepScalars& scalars) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> values;
  for (const Losses& list : losses) {
    for (const Loss& loss : list) {
      const size_t slot = first_slot + values.size();
      TORCH_CHECK(slot < kTermSlots, "too many loss terms in a step; the maximum is ", kTermSlots);
      if (slot == terms_.size()) {
        terms_.push_back({loss.name, loss.weight});
        term_counts_.push_back(0);
      }
      ++term_counts_[slot];
      values.push_back(loss.value.detach());
    }
  }
  const at::Tensor all = at::stack(values);
  term_sums_.narrow(0, static_cast<int64_t>(first_slot), all.size(0)).add_(all);
  const at::Tensor bad = (all * 0).ne(0);  // true for NaN and infinity, because their product with 0 is NaN
  const at::Tensor code =
      scalars["step"].to(at::kLong) * kTermSlots + static_cast<int64_t>(first_slot) + bad.to(at::kInt).argmax(0);
  first_non_finite_.copy_(at::where(first_non_finite_.lt(0).logical_and(bad.any()), code, first_non_finite_));
  return values.size();
}

Trainer::PlayerState& Trainer::player(const std::string& name) {
  const auto found = std::find_if(players_.begin(), players_.end(),
                                  [&](const PlayerState& state) { return state.player.name == name; });
  TORCH_CHECK(found != players_.end(), "unknown player: ", name);
  return *found;
}

std::vector<std::pair<std::string, double>> Trainer::take_losses() {
  const at::Tensor sums = term_sums_.to(at::kCPU, at::kDouble);
  std::vector<std::pair<std::string, double>> means;
  for (size_t slot = 0; slot < terms_.size(); ++slot) {
    const double sum = sums.data_ptr<double>()[slot];
    means.emplace_back(terms_[slot].name, sum / static_cast<double>(std::max<int64_t>(1, term_counts_[slot])));
    term_counts_[slot] = 0;
  }
  term_sums_.zero_();
  return means;
}

SkippedUpdates Trainer::take_skipped() {
  const SkippedUpdates taken{skipped_.item<int64_t>(), std::exchange(updates_, 0)};
  skipped_.zero_();
  return taken;
}

void Trainer::discard_losses() {
  take_losses();
  take_skipped();
  first_non_finite_.fill_(-1);
}

std::optional<Trainer::NonFinite> Trainer::first_non_finite() const {
  const int64_t code = first_non_finite_.item<int64_t>();
  if (code < 0) return std::nullopt;
  return NonFinite{terms_[static_cast<size_t>(code % kTermSlots)].name, code / kTermSlots + 1};
}

std::optional<std::string> Trainer::first_non_finite_tensor() const {
  for (const auto& [file, tensors] : state()) {
    for (const auto& [name, tensor] : tensors) {
      if (!at::isfinite(tensor).all().item<bool>()) return fmt::format("{}/{}", file, name);
    }
  }
  return std::nullopt;
}

double Trainer::scheduled(const std::string& name, double progress) const {
  for (const Schedule& schedule : schedules_) {
    if (schedule.name == name) return schedule.value(progress, progress * static_cast<double>(plan_.steps()));
  }
  TORCH_CHECK(false, "unknown schedule: ", name);
}

TensorFiles Trainer::state() const {
  TensorFiles files;
  for (const PlayerState& state : players_) {
    const std::string prefix = state.player.name + ".";
    if (state.outliers) files["outliers"][prefix + "window"] = state.outliers->window;
    files["model"].merge(named_tensors(*state.player.network, prefix));
    for (size_t i = 0; i < state.parameters.parameters().size(); ++i) {
      const std::string name = prefix + state.parameters.names()[i];
      files["optimizer"][name + ".mean"] = state.parameters.view_like(state.adam.mean, i);
      files["optimizer"][name + ".square"] = state.parameters.view_like(state.adam.square, i);
    }
  }
  if (!classifier_.is_empty()) files["average"] = named_tensors(*classifier_);
  return files;
}

void Trainer::restore(const TensorFiles& saved, int64_t step, const std::string& source) {
  for (const auto& [file, tensors] : state()) {
    const auto found = saved.find(file);
    copy_named(tensors, found == saved.end() ? NamedTensors{} : found->second, fmt::format("{}/{}", source, file));
  }
  step_ = step;
}

}  // namespace frgan

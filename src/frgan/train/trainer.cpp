#include "frgan/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr int64_t kTermSlots = 64;
constexpr uint64_t kInitialPart = 1'000'000'000;  // `part` of the initialization batches, distinct from all phases
constexpr uint64_t kPartsPerStage = 1'000;

// Passes of the phases of a stage in which the player is updated, per step.
int64_t updates_per_step(const Stage& stage, const std::string& player, size_t phases) {
  int64_t count = 0;
  for (size_t i = 0; i < phases; ++i) {
    const Phase& phase = stage.phases[i];
    if (std::ranges::find(phase.players, player) != phase.players.end()) count += phase.repeat;
  }
  return count;
}

// The name of the value of a follower's decay at an update of its player.
std::string follower_scalar(const Player& player, const Follower& follower) {
  return fmt::format("{}.{}.decay", player.name, follower.name);
}

bool trains(const Stage& stage, const std::string& player) {
  return updates_per_step(stage, player, stage.phases.size()) > 0;
}

}  // namespace

BatchSource::BatchSource(BatchStream& stream)
    : plan([&stream](const BatchRequest& request, uint64_t draw, uint64_t part) {
        return stream.plan(request, draw, part);
      }),
      gather([&stream](const BatchRequest& request, const BatchPlan& planned) {
        return stream.gather(request, planned);
      }) {}

BatchSource::BatchSource(std::function<Batch(const BatchRequest&, uint64_t draw, uint64_t part)> batches)
    : plan([](const BatchRequest&, uint64_t draw, uint64_t part) {
        BatchPlan which;
        which.draw = draw;
        which.part = part;
        return which;
      }),
      gather([batches = std::move(batches)](const BatchRequest& request, const BatchPlan& which) {
        return batches(request, which.draw, which.part);
      }) {}

Trainer::Trainer(Method& method, const Problem& problem, BatchSource batches, int64_t planned_steps,
                 double outlier_limit)
    : problem_(problem),
      batches_(std::move(batches)),
      plan_(planned_steps),
      stages_(method.stages()),
      schedules_(method.schedules()),
      method_state_(method.state()),
      term_sums_(at::zeros({kTermSlots}, at::TensorOptions(problem.device).dtype(problem.dtype))),
      skipped_(at::zeros({}, at::TensorOptions(problem.device).dtype(at::kLong))),
      first_non_finite_(at::full({}, -1, at::TensorOptions(problem.device).dtype(at::kLong))) {
  double shares = 0;
  for (const Stage& stage : stages_) {
    TORCH_CHECK(stage.share > 0, "stage ", stage.name, " has no share of the run");
    shares += stage.share;
  }
  TORCH_CHECK(std::abs(shares - 1) < 1e-9, "the shares of the stages add up to ", shares);
  for (const Player& member : method.players()) {
    FlatParameters parameters(*member.network);
    PlayerState state{member, parameters, make_optimizer(parameters, member.optimizer)};
    if (member.optimizer.weight_decay > 0) state.decay.emplace(parameters, member.optimizer.weight_decay);
    if (outlier_limit > 0) state.outliers.emplace(outlier_limit, at::TensorOptions(problem.device));
    for (const Follower& follower : member.followers) {
      FlatParameters copy(*follower.network);
      FollowerState following{follower, copy, parameters.part_of_values(follower.part),
                              parameters.part_of_buffers(follower.part), parameters.part_of_frozen(follower.part)};
      TORCH_CHECK(following.followed_values.numel() == copy.values().numel() &&
                      following.followed_buffers.numel() == copy.buffers().numel() &&
                      following.followed_frozen.numel() == copy.frozen().numel(),
                  "follower ", follower.name, " differs from its player");
      state.followers.push_back(std::move(following));
    }
    players_.push_back(std::move(state));
  }
}

void Trainer::initialize() {
  initialize_stage(0);
}

void Trainer::initialize_stage(size_t stage) {
  const torch::NoGradGuard no_grad;
  const Stage& entered = stages_[stage];
  if (entered.initialize) {
    BatchPlan plan = batches_.plan(entered.initial_batch, 0, kInitialPart + stage);
    PackedInputs(problem_.device).load(plan.tensors());
    entered.initialize(batches_.gather(entered.initial_batch, plan));
  }
  for (PlayerState& state : players_) {
    if (!trains(entered, state.player.name)) continue;
    const bool is_trained = std::any_of(stages_.begin(), stages_.begin() + static_cast<int64_t>(stage),
                                        [&](const Stage& earlier) { return trains(earlier, state.player.name); });
    if (!is_trained) reset_followers(state);
    for (FollowerState& follower : state.followers) follower.parameters.frozen().copy_(follower.followed_frozen);
  }
}

void Trainer::reset_followers(PlayerState& state) {
  for (FollowerState& follower : state.followers) {
    follower.parameters.values().copy_(follower.followed_values);
    follower.parameters.buffers().copy_(follower.followed_buffers);
    follower.parameters.frozen().copy_(follower.followed_frozen);
  }
}

void Trainer::reset_followers() {
  const torch::NoGradGuard no_grad;
  for (PlayerState& state : players_) reset_followers(state);
}

size_t Trainer::stage_at(int64_t step) const {
  if (plan_.steps() == 0) return 0;  // the length is not known yet
  const double progress = plan_.progress(step);
  size_t stage = 0;
  double end = stages_[0].share;
  while (stage + 1 < stages_.size() && progress >= end) end += stages_[++stage].share;
  return stage;
}

int64_t Trainer::first_step(size_t stage) const {
  return stage == 0 ? 0 : plan_.first_step(share_before(stage));
}

double Trainer::share_before(size_t stage) const {
  double share = 0;
  for (size_t i = 0; i < stage; ++i) share += stages_[i].share;
  return share;
}

double Trainer::stage_progress(size_t stage, double run_progress) const {
  if (stages_.size() == 1) return run_progress;
  return std::clamp((run_progress - share_before(stage)) / stages_[stage].share, 0.0, 1.0);
}

double Trainer::progress() const {
  return stage_progress(stage_at(step_), plan_.progress(step_));
}

double Trainer::learning_rate() const {
  const std::string& trained = stages_[stage_at(step_)].phases.front().players.front();
  const auto state = std::ranges::find(players_, trained, [](const PlayerState& one) { return one.player.name; });
  return scheduled(state->player.learning_rate, progress());
}

int64_t Trainer::updates_before(const std::string& player, const Pass& pass) const {
  int64_t updates = updates_per_step(stages_[pass.stage], player, pass.phase) + pass.repetition;  // of this step
  for (size_t stage = 0; stage <= pass.stage; ++stage) {
    const int64_t end = stage < pass.stage ? std::min(first_step(stage + 1), step_) : step_;
    const int64_t steps = std::max<int64_t>(0, end - first_step(stage));  // a trial step may be of a later stage
    updates += steps * updates_per_step(stages_[stage], player, stages_[stage].phases.size());
  }
  return updates;
}

void Trainer::step() {
  const size_t index = stage_at(step_);
  const int64_t begin = first_step(index);
  if (index > 0 && step_ == begin) initialize_stage(index);
  run_stage(index, step_ - begin);
  ++step_;
}

void Trainer::run_stage(size_t index, int64_t steps_before) {
  const Stage& stage = stages_[index];
  for (size_t phase = 0; phase < stage.phases.size(); ++phase) {
    const int64_t repeat = stage.phases[phase].repeat;
    for (int64_t repetition = 0; repetition < repeat; ++repetition) {
      const auto number = static_cast<uint64_t>(steps_before * repeat + repetition);
      run_phase(stage.phases[phase], {index, phase, repetition, number});
    }
  }
}

void Trainer::trial_step(size_t stage) {
  run_stage(stage, 0);
}

// The first stage that trains the classifier; the number of stages if none does.
size_t Trainer::classifier_stage() const {
  const auto trains_classifier = [&](const Stage& stage) {
    return std::ranges::any_of(players_, [&](const PlayerState& state) {
      const bool is_classifier = std::ranges::any_of(
          state.followers, [](const FollowerState& follower) { return follower.follower.name == kAverage; });
      return is_classifier && trains(stage, state.player.name);
    });
  };
  return std::ranges::find_if(stages_, trains_classifier) - stages_.begin();
}

bool Trainer::has_trained_classifier() const {
  return stage_at(std::max<int64_t>(0, step_ - 1)) >= classifier_stage();
}

double Trainer::classifier_begin() const {
  return share_before(classifier_stage());
}

void Trainer::check_length() const {
  for (size_t stage = 1; stage < stages_.size(); ++stage) {
    const bool is_reached = stage_at(plan_.steps() - 1) >= stage && first_step(stage) > first_step(stage - 1);
    if (is_reached) continue;
    throw usage_error(
        fmt::format("{} steps are too few for the {} stages of the method: stage '{}' would have no step; "
                    "increase --steps",
                    plan_.steps(), stages_.size(), stages_[stage].name));
  }
}

// The host plans the pass. On a GPU, one copy brings the plan to the device. The rest reads tensors there, and the keys
// of random numbers.
void Trainer::run_phase(const Phase& phase, const Pass& pass) {
  RECORD_USER_SCOPE(phase.name);  // for profiles; free when no profiler is active
  BatchPlan plan = batches_.plan(phase.batch, pass.number, pass.stage * kPartsPerStage + pass.phase);
  auto [names, values] = scalars_of(phase, pass);
  plan.scalars = values;
  inputs_.try_emplace({pass.stage, pass.phase}, problem_.device).first->second.load(plan.tensors());
  const StepScalars scalars(std::move(names), plan.scalars);
  Batch batch = batches_.gather(phase.batch, plan);
  batch.updates = scalars["updates"];
  for (const std::string& name : phase.players) keep_buffers(player(name));
  const std::vector<Losses> losses = phase.losses(batch);
  TORCH_CHECK(losses.size() == phase.players.size(), "phase ", phase.name, " needs a list of losses for each player");
  for (size_t i = 0; i < losses.size(); ++i) {
    differentiate(player(phase.players[i]), losses[i], scalars, /*keep_graph=*/i + 1 < losses.size());
  }
  for (const std::string& name : phase.players) update(player(name), scalars, updates_before(name, pass));
  if (phase.after) {
    const torch::NoGradGuard no_grad;
    phase.after(batch);
  }
  record_losses(losses, pass, scalars);
}

// Values of all schedules at this step, and of the scalars of each player's optimizer at its next update.
std::pair<std::vector<std::string>, at::Tensor> Trainer::scalars_of(const Phase& phase, const Pass& pass) {
  const auto passes = static_cast<double>(pass.number);
  std::vector<std::string> names{"step", "updates"};
  std::vector<double> values{static_cast<double>(step_), passes};
  const double progress = stage_progress(pass.stage, plan_.progress(step_));
  for (const Schedule& schedule : schedules_) {
    names.push_back(schedule.name);
    values.push_back(schedule.value(progress, passes));
  }
  for (const std::string& name : phase.players) {
    const PlayerState& state = player(name);
    const auto found = std::ranges::find(names, state.player.learning_rate);
    TORCH_CHECK(found != names.end(), "unknown schedule: ", state.player.learning_rate);
    const double learning_rate = values[static_cast<size_t>(found - names.begin())];
    const auto update = static_cast<double>(updates_before(name, pass) + 1);
    const std::vector<double> numbers = state.optimizer->scalar_values(learning_rate, update);
    for (const std::string& scalar : state.optimizer->scalar_names())
      names.push_back(fmt::format("{}.{}", name, scalar));
    values.insert(values.end(), numbers.begin(), numbers.end());
    for (const FollowerState& follower : state.followers) {
      names.push_back(follower_scalar(state.player, follower.follower));
      values.push_back(schedule(follower.follower.decay).value(progress, update - 1));
    }
    if (state.decay) {
      names.push_back(name + ".weight_decay");
      values.push_back(state.decay->factor(learning_rate));
    }
  }
  return {std::move(names), at::tensor(values, at::TensorOptions().dtype(problem_.dtype))};
}

void Trainer::differentiate(PlayerState& state, const Losses& losses, const StepScalars& scalars, bool keep_graph) {
  at::Tensor total;
  for (const Loss& loss : losses) {
    if (loss.weight.empty()) continue;
    const at::Tensor weighted = scalars[loss.weight] * loss.value;
    total = total.defined() ? total + weighted : weighted;
  }
  state.parameters.gradients().zero_();
  total.backward({}, keep_graph, /*create_graph=*/false, state.parameters.parameters());
  state.loss = total.detach();
}

// Forward passes update batch statistics before it is known whether the update is skipped.
void Trainer::keep_buffers(PlayerState& state) {
  if (!state.outliers) return;
  state.buffers_before = state.parameters.buffers().clone();
  for (FollowerState& follower : state.followers) follower.buffers_before = follower.parameters.buffers().clone();
}

// Applies update `number` of a player, counted from 0. Updates of outliers are applied and then reverted on the device:
// a decision on the CPU would wait for the device.
void Trainer::update(PlayerState& state, const StepScalars& scalars, int64_t number) {
  const torch::NoGradGuard no_grad;
  if (!state.outliers) return apply_update(state, scalars);
  ++updates_;
  const at::Tensor skip = state.outliers->is_outlier(number, state.loss, state.parameters.gradients().norm());
  std::vector<std::pair<at::Tensor, at::Tensor>> changed{{state.parameters.buffers(), state.buffers_before}};
  const auto keep = [&](const at::Tensor& tensor) { changed.emplace_back(tensor, tensor.clone()); };
  keep(state.parameters.values());
  for (const auto& [name, tensor] : state.optimizer->state()) keep(tensor);
  for (const FollowerState& follower : state.followers) {
    keep(follower.parameters.values());
    changed.emplace_back(follower.parameters.buffers(), follower.buffers_before);
  }
  apply_update(state, scalars);
  for (const auto& [tensor, before] : changed) tensor.copy_(at::where(skip, before, tensor));
  skipped_.add_(skip);
}

void Trainer::apply_update(PlayerState& state, const StepScalars& scalars) {
  const std::string prefix = state.player.name + ".";
  if (state.decay) state.decay->apply(scalars[prefix + "weight_decay"]);
  std::vector<at::Tensor> numbers;
  for (const std::string& name : state.optimizer->scalar_names()) numbers.push_back(scalars[prefix + name]);
  state.optimizer->step(numbers);
  for (FollowerState& follower : state.followers) {
    follow(follower, scalars[follower_scalar(state.player, follower.follower)]);
  }
}

void Trainer::follow(FollowerState& follower, const at::Tensor& decay) {
  RECORD_FUNCTION("frgan::average", c10::ArrayRef<const c10::IValue>{});
  const at::Tensor rest = 1 - decay;
  const auto approach = [&](const at::Tensor& values, const at::Tensor& goal) {
    values.add_((goal - values).mul_(rest));
  };
  approach(follower.parameters.values(), follower.followed_values);
  const at::Tensor &buffers = follower.parameters.buffers(), &goal = follower.followed_buffers;
  if (buffers.numel() == 0 || follower.follower.buffers == FollowerBuffers::kOwn) return;
  if (follower.follower.buffers == FollowerBuffers::kCopied) {
    buffers.copy_(goal);
  } else {
    approach(buffers, goal);
  }
}

void Trainer::record_losses(const std::vector<Losses>& losses, const Pass& pass, const StepScalars& scalars) {
  const torch::NoGradGuard no_grad;
  const size_t first_slot = first_slots_.try_emplace({pass.stage, pass.phase}, terms_.size()).first->second;
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
    if (stages_.size() > 1 && term_counts_[slot] == 0) continue;  // of another stage
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

const Schedule& Trainer::schedule(const std::string& name) const {
  const auto found = std::ranges::find(schedules_, name, &Schedule::name);
  TORCH_CHECK(found != schedules_.end(), "unknown schedule: ", name);
  return *found;
}

double Trainer::scheduled(const std::string& name, double progress) const {
  return schedule(name).value(progress, progress * static_cast<double>(plan_.steps()));
}

NetworkPtr Trainer::classifier() const {
  for (const PlayerState& state : players_) {
    for (const FollowerState& follower : state.followers) {
      if (follower.follower.name == kAverage) return follower.follower.network;
    }
  }
  return nullptr;
}

TensorFiles Trainer::state() const {
  TensorFiles files;
  for (const PlayerState& state : players_) {
    const std::string prefix = state.player.name + ".";
    if (state.outliers) files["outliers"][prefix + "window"] = state.outliers->window;
    files["model"].merge(named_tensors(*state.player.network, prefix));
    for (size_t i = 0; i < state.parameters.parameters().size(); ++i) {
      const std::string name = prefix + state.parameters.name(i);
      for (const auto& [moment, tensor] : state.optimizer->state()) {
        files["optimizer"][fmt::format("{}.{}", name, moment)] = state.parameters.view_like(tensor, i);
      }
    }
    for (const FollowerState& follower : state.followers) {
      files[follower.follower.name] = named_tensors(*follower.follower.network);
    }
  }
  if (!method_state_.empty()) files["method"] = method_state_;
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

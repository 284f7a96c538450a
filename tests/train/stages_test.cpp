// Stages, followers and tensors of a method, with a method that only the tests have.
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../methods/small_methods.h"
#include "frgan/nn/networks.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Pointwise;

// Two stages: "first" (a quarter of the run) trains player a, "second" trains a and b in two phases, with two updates
// of b. Each player has one network and losses whose gradients are 1 for every parameter.
class TwoStages : public Method {
 public:
  explicit TwoStages(FollowerBuffers buffers = FollowerBuffers::kCopied) : buffers_(buffers) {}
  void describe(OptionSet& /*options*/) override {}
  void build(const Problem& problem) override {
    a_ = make_classifier(problem);
    b_ = make_classifier(problem);
    average_ = make_classifier(problem);
    teacher_ = make_classifier(problem);
    count_ = at::zeros({}, problem.dtype);
  }
  std::vector<Player> players() const override {
    const OptimizerOptions sgd{.kind = OptimizerKind::kSgd, .momentum = 0};
    return {{"a", a_, {.kind = OptimizerKind::kAdam}, "rate", {{kAverage, average_, "decay"}}},
            {"b", b_, sgd, "rate", {{"teacher", teacher_, "decay", buffers_}}}};
  }
  std::vector<Schedule> schedules() const override {
    return {{"one", [](double, double) { return 1.0; }},
            {"decay", [](double, double) { return 0.75; }},
            {"rate", [this](double progress, double updates) {
               seen_.emplace_back(progress, updates);
               return 0.25;
             }}};
  }
  std::vector<Stage> stages() override {
    const auto losses_of = [](const NetworkPtr& network) {
      return [network](const Batch& batch) {
        network->forward(all_of(batch).views[0], {.statistics = BatchStatistics::kBatchAndTrack});
        at::Tensor sum = at::zeros({}, at::kDouble);
        for (const at::Tensor& parameter : network->parameters()) sum = sum + parameter.sum();
        return std::vector<Losses>{{{"sum", "one", sum}}};
      };
    };
    const BatchRequest batch = ShortRequest{.all = 2};
    const auto count = [this](const Batch&) { count_.add_(1); };
    const auto entered = [this](const std::string& name) {
      return [this, name](const Batch&) { entered_.push_back(name); };
    };
    return {{"first", 0.25, batch, entered("first"), {{"a", batch, 1, {"a"}, losses_of(a_)}}},
            {"second",
             0.75,
             batch,
             entered("second"),
             {{"a", batch, 1, {"a"}, losses_of(a_), count}, {"b", batch, 2, {"b"}, losses_of(b_)}}}};
  }
  NamedTensors state() const override { return {{"count", count_}}; }
  NetworkPtr make_classifier(const Problem& problem) const override {
    NetworkPtr network = create_network({.network = "wrn-28-2", .width = 1.0 / 16}, problem.shape, problem.seed);
    network->to(problem.device, problem.dtype);
    return network;
  }

  FollowerBuffers buffers_;
  NetworkPtr a_, b_, average_, teacher_;
  at::Tensor count_;
  std::vector<std::string> entered_;
  mutable std::vector<std::pair<double, double>> seen_;
};

struct StagedTraining {
  explicit StagedTraining(FollowerBuffers buffers = FollowerBuffers::kCopied, int64_t steps = 8)
      : method(built(buffers)), trainer(method, small_problem(), RandomBatches{}, steps) {
    trainer.initialize();
  }
  static TwoStages built(FollowerBuffers buffers) {
    TwoStages method(buffers);
    method.build(small_problem());
    return method;
  }
  void steps(int64_t count) {
    for (int64_t i = 0; i < count; ++i) trainer.step();
  }

  TwoStages method;
  Trainer trainer;
};

at::Tensor first_parameter(const NetworkPtr& network) {
  return network->parameters()[0].detach().clone();
}

TEST(Stages, EachHasItsShareOfTheRunAndItsInitialization) {
  StagedTraining training;
  EXPECT_THAT(training.method.entered_, ElementsAre("first"));
  EXPECT_EQ(training.trainer.stage().name, "first");
  training.steps(2);
  EXPECT_EQ(training.trainer.stage().name, "second");
  EXPECT_EQ(training.trainer.progress(), 0);
  training.steps(6);
  EXPECT_THAT(training.method.entered_, ElementsAre("first", "second"));
  EXPECT_EQ(training.method.count_.item<double>(), 6);  // the hook of phase a of the second stage
}

TEST(Stages, SchedulesSeeTheProgressOfTheStage) {
  StagedTraining training;
  training.method.seen_.clear();
  training.steps(4);
  // Two steps of the first stage with one pass; then steps with passes of the phases a, b, b.
  EXPECT_THAT(training.method.seen_, ElementsAre(std::pair(0.0, 0.0), std::pair(0.5, 1.0), std::pair(0.0, 0.0),
                                                 std::pair(0.0, 0.0), std::pair(0.0, 1.0), std::pair(1.0 / 6, 1.0),
                                                 std::pair(1.0 / 6, 2.0), std::pair(1.0 / 6, 3.0)));
}

// With a constant gradient, Adam's bias correction makes each update as large as the learning rate, if and only if it
// knows the number of its updates. SGD without momentum moves by rate x gradient at each update.
TEST(Stages, EachPlayerCountsItsOwnUpdates) {
  StagedTraining training;
  const at::Tensor a = first_parameter(training.method.a_), b = first_parameter(training.method.b_);
  training.steps(2);
  EXPECT_TRUE(first_parameter(training.method.b_).equal(b));
  training.steps(3);
  EXPECT_TRUE(at::allclose(first_parameter(training.method.a_), a - 5 * 0.25, 0, 1e-6));
  EXPECT_TRUE(at::allclose(first_parameter(training.method.b_), b - 6 * 0.25, 0, 1e-12));
}

TEST(Stages, TakeLossesReturnsThoseOfTheStage) {
  StagedTraining training;
  training.steps(2);
  EXPECT_EQ(training.trainer.take_losses().size(), 1U);
  training.steps(1);
  EXPECT_EQ(training.trainer.take_losses().size(), 2U);
}

// Resumed at every step: before, at and after the change of the stage.
TEST(Stages, RestoredTrainingIsBitIdentical) {
  StagedTraining whole;
  whole.steps(8);
  for (int64_t at = 0; at <= 8; ++at) {
    StagedTraining first, second;
    first.steps(at);
    const TensorFiles saved = copies_of(first.trainer.state());
    second.trainer.restore(saved, at, "run");
    second.steps(8 - at);
    const TensorFiles expected = whole.trainer.state(), found = second.trainer.state();
    ASSERT_EQ(found.size(), 5U);  // model, optimizer, average, teacher, method
    for (const auto& [file, tensors] : expected) {
      for (const auto& [name, tensor] : tensors) {
        EXPECT_TRUE(tensor.equal(found.at(file).at(name))) << at << ' ' << file << '/' << name;
      }
    }
  }
}

TEST(Followers, AverageTheWeights) {
  StagedTraining training;
  training.steps(2);
  const at::Tensor student = first_parameter(training.method.b_);
  training.steps(1);  // two updates of b, by 0.25 each
  // The teacher starts from the student: t1 = 0.75 w + 0.25 (w - 0.25), t2 = 0.75 t1 + 0.25 (w - 0.5).
  EXPECT_TRUE(at::allclose(first_parameter(training.method.teacher_), student - 0.75 * 0.0625 - 0.125, 0, 1e-12));
  EXPECT_EQ(training.trainer.classifier(), training.method.average_);
}

TEST(Followers, GoOnInALaterStage) {
  StagedTraining training;
  training.steps(2);
  const at::Tensor average = first_parameter(training.method.average_);
  training.steps(1);
  const at::Tensor followed = first_parameter(training.method.a_);
  EXPECT_FALSE(at::allclose(average, followed));
  EXPECT_TRUE(at::allclose(first_parameter(training.method.average_), 0.75 * average + 0.25 * followed, 0, 1e-12));
}

// A player that trains in two phases of a step: the decay of its follower sees its updates, not those of the phase.
TEST(Followers, DecaySeesTheUpdatesOfThePlayer) {
  struct TwoPhases : TwoStages {
    std::vector<Schedule> schedules() const override {
      return {{"one", [](double, double) { return 1.0; }},
              {"rate", [](double, double) { return 0.25; }},
              {"decay", [](double, double updates) { return 0.5 + 0.125 * updates; }}};
    }
    std::vector<Stage> stages() override {
      Stage stage = TwoStages::stages()[0];
      stage.share = 1;
      stage.phases.push_back(stage.phases[0]);
      return {stage};
    }
  };
  TwoPhases method;
  method.build(small_problem());
  Trainer trainer(method, small_problem(), RandomBatches{}, 1);
  trainer.initialize();
  const at::Tensor start = first_parameter(method.a_);
  trainer.step();  // Adam moves a by 0.25 in each of the two updates
  const at::Tensor first = 0.5 * start + 0.5 * (start - 0.25);
  EXPECT_TRUE(at::allclose(first_parameter(method.average_), 0.625 * first + 0.375 * (start - 0.5), 0, 1e-6));
}

// Trials of a later stage, before any step, have the bias correction of a first update.
TEST(Stages, TrialStepsOfALaterStageCountNoUpdatesBefore) {
  StagedTraining training;
  const at::Tensor a = first_parameter(training.method.a_);
  training.trainer.trial_step(1);
  EXPECT_TRUE(at::allclose(first_parameter(training.method.a_), a - 0.25, 0, 1e-6));
}

// A follower of a part of a player: m1m2's classifier. In the first stage, it does not move; in the second, it starts
// from the player, with the frozen encoder.
TEST(Followers, FollowAPartOfThePlayer) {
  const auto method = small_method("m1m2");
  Trainer trainer(*method, small_problem(), RandomBatches{}, 6);
  trainer.initialize();
  const NetworkPtr average = trainer.classifier();
  const auto tensor = [](const torch::nn::Module& module, const std::string& name) {
    return module.named_parameters()[name].detach().clone();
  };
  const torch::nn::Module &m1 = *method->players()[0].network, &m2 = *method->players()[1].network;
  const at::Tensor start = tensor(*average, "dense.direction");
  for (int i = 0; i < 3; ++i) trainer.step();
  EXPECT_TRUE(tensor(*average, "dense.direction").equal(start));
  trainer.step();  // decay (t + 1) / (t + 10) = 0.1 at the first update
  const at::Tensor followed = tensor(m2, "classifier.dense.direction");
  EXPECT_FALSE(followed.equal(start));
  EXPECT_TRUE(at::allclose(tensor(*average, "dense.direction"), 0.1 * start + 0.9 * followed, 0, 1e-12));
  EXPECT_TRUE(tensor(*average, "m1_hidden1.direction").equal(tensor(m1, "encoder.hidden1.direction")));
}

TEST(Stages, EachModelHasItsLearningRate) {
  const auto method =
      small_method("m1m2", {{"learning-rate", 0.01}, {"m2-learning-rate", 0.002}, {"decay-start", 0.5}});
  Trainer trainer(*method, small_problem(), RandomBatches{}, 8);
  trainer.initialize();
  std::vector<double> rates;
  for (int i = 0; i < 8; ++i) {
    rates.push_back(trainer.learning_rate());
    trainer.step();
  }
  EXPECT_THAT(rates, Pointwise(DoubleEq(), std::vector<double>{0.01, 0.01, 0.01, 0.005, 0.002, 0.002, 0.002, 0.001}));
}

TEST(Followers, BuffersAreCopiedAveragedOrTheirOwn) {
  const auto statistics_after = [](FollowerBuffers buffers) {
    StagedTraining training(buffers);
    training.steps(2);
    const at::Tensor before = training.method.b_->buffers()[0].clone();
    training.steps(1);
    return std::vector<at::Tensor>{training.method.teacher_->buffers()[0].clone(),
                                   training.method.b_->buffers()[0].clone(), before};
  };
  const auto copied = statistics_after(FollowerBuffers::kCopied);
  EXPECT_FALSE(copied[1].equal(copied[2])) << "the student's statistics must change";
  EXPECT_TRUE(copied[0].equal(copied[1]));
  // The teacher starts from the student's buffers at the second stage, and nothing changes its own ones.
  const auto own = statistics_after(FollowerBuffers::kOwn);
  EXPECT_TRUE(own[0].equal(own[2]));
  const auto averaged = statistics_after(FollowerBuffers::kAveraged);
  EXPECT_FALSE(averaged[0].equal(averaged[1]));
  EXPECT_FALSE(averaged[0].equal(averaged[2]));
}

}  // namespace
}  // namespace frgan

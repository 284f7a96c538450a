#include "frgan/train/trainer.h"

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <torch/types.h>

#include "../methods/small_methods.h"
#include "frgan/core/error.h"
#include "frgan/nn/networks.h"

namespace frgan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// A small method that trains on random images.
struct SmallTraining {
  explicit SmallTraining(const std::string& name, const Settings& settings = {}, int64_t steps = 10,
                         at::ScalarType type = at::kFloat, double outlier_limit = 0)
      : problem(small_problem_for(settings, type)),
        method(small_method(name, settings, problem)),
        trainer(
            *method, problem,
            [this](const BatchRequest& request, uint64_t draw, uint64_t part) {
              Batch batch = RandomBatches{problem}(request, draw, part);
              if (before_batch) before_batch(batch, draw, part);
              return batch;
            },
            steps, outlier_limit) {
    trainer.initialize();
  }
  void steps(int64_t count) {
    for (int64_t i = 0; i < count; ++i) trainer.step();
  }

  Problem problem;
  std::unique_ptr<Method> method;
  std::function<void(Batch&, uint64_t draw, uint64_t part)> before_batch;
  Trainer trainer;
};

// Names of the tensors that differ.
std::vector<std::string> differences(const TensorFiles& one, const TensorFiles& other) {
  std::vector<std::string> names;
  for (const auto& [file, tensors] : one) {
    for (const auto& [name, tensor] : tensors) {
      if (!tensor.equal(other.at(file).at(name))) names.push_back(file + "/" + name);
    }
  }
  return names;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// ---- Outliers

TEST(Trainer, SkipsTheUpdatesOfOutliers) {
  for (const double limit : {0.0, 50.0}) {
    SmallTraining training("fr-gan", {}, 200, at::kFloat, limit);
    bool is_outlier = false;
    training.before_batch = [&](Batch& batch, uint64_t, uint64_t) {
      if (!is_outlier) return;
      for (const DrawnImages& drawn : batch.draws) {
        for (const at::Tensor& view : drawn.views) view.mul_(1e4);
      }
    };
    training.steps(OutlierDetector::kWindow + 2);
    EXPECT_EQ(training.trainer.take_skipped().skipped, 0);
    const TensorFiles before = copies_of(training.trainer.state());
    is_outlier = true;
    training.steps(1);
    const std::vector<std::string> changed = differences(before, training.trainer.state());
    const auto of_discriminator = [&](const std::string& file) {
      return std::any_of(changed.begin(), changed.end(), [&](const std::string& name) {
        return name.starts_with(file + "/") && name.find("generator") == std::string::npos;
      });
    };
    for (const char* file : {"model", "optimizer", "average"}) {
      EXPECT_EQ(of_discriminator(file), limit == 0) << file << ", limit " << limit;
    }
    EXPECT_EQ(training.trainer.take_skipped().skipped, limit == 0 ? 0 : 1);
    EXPECT_EQ(training.trainer.take_skipped().skipped, 0);
    is_outlier = false;
    const TensorFiles skipped = copies_of(training.trainer.state());
    training.steps(1);
    EXPECT_THAT(differences(skipped, training.trainer.state()), ::testing::Contains("average/conv1.direction"));
  }
}

TEST(Trainer, TheWindowOfOutliersIsPartOfTheState) {
  const int64_t half = OutlierDetector::kWindow - 2;
  SmallTraining whole("supervised", {}, 200, at::kFloat, 1), first("supervised", {}, 200, at::kFloat, 1),
      second("supervised", {}, 200, at::kFloat, 1);
  whole.steps(half + 20);
  first.steps(half);
  second.trainer.restore(copies_of(first.trainer.state()), half, "run");
  second.steps(20);
  EXPECT_THAT(differences(second.trainer.state(), whole.trainer.state()), ElementsAre());
  EXPECT_GT(whole.trainer.take_skipped().skipped, 0) << "a limit of one standard deviation skips some";
}

// ---- State

TEST(Trainer, RestoredTrainingIsBitIdentical) {
  std::vector<std::pair<std::string, Settings>> cases{{"fr-gan", {{"gen-loss", "fm+ns"}, {"disc-steps", 2}}}};
  for (const NetworkInfo& info : all_networks()) {
    cases.push_back({"supervised", {{"network", std::string(info.name)}}});
    // With larger steps, the batch norms of efficientnet-lite0 overflow: their maps have one pixel here.
    cases.push_back(
        {"supervised",
         {{"network", std::string(info.name)}, {"optimizer", "sgd"}, {"weight-decay", 0.01}, {"learning-rate", 1e-6}}});
  }
  for (const MethodInfo& info : all_methods()) cases.push_back({std::string(info.name), {{"threshold", 0.0}}});
  for (const auto& [name, settings] : cases) {
    SCOPED_TRACE(name + " " + settings.front().second.dump());
    SmallTraining whole(name, settings), first(name, settings), second(name, settings);
    for (const auto& [file, tensors] : second.trainer.state()) {
      for (const auto& [tensor_name, tensor] : tensors) tensor.add_(1);
    }
    whole.steps(10);
    first.steps(5);
    const TensorFiles saved = copies_of(first.trainer.state());
    EXPECT_THAT(differences(saved, second.trainer.state()), ::testing::Not(::testing::IsEmpty()));
    second.trainer.restore(saved, 5, "run");
    EXPECT_EQ(second.trainer.steps_done(), 5);
    second.steps(5);
    EXPECT_EQ(whole.trainer.first_non_finite_tensor(), std::nullopt);
    EXPECT_THAT(differences(second.trainer.state(), whole.trainer.state()), ElementsAre());
    EXPECT_THAT(differences(first.trainer.state(), saved),
                ElementsAre());  // the restored trainer does not share memory with the first
  }
}

TEST(Trainer, RestoreRejectsOtherArchitectures) {
  SmallTraining training("fr-gan");
  const auto restore_error = [&](const Settings& settings) {
    return message_of(
        [&] { training.trainer.restore(SmallTraining("fr-gan", settings).trainer.state(), 5, "runs/a"); });
  };
  EXPECT_THAT(restore_error({{"width", 0.125}}),
              AllOf(HasSubstr("runs/a"), HasSubstr("shape"), HasSubstr("architecture")));
  EXPECT_THAT(restore_error({{"se-position", "none"}}), AllOf(HasSubstr("se_block2"), HasSubstr("is missing")));
  EXPECT_THAT(restore_error({{"se-position", "all"}}), AllOf(HasSubstr("this network has no"), HasSubstr("se_block1")));
  EXPECT_THAT(message_of([&] { training.trainer.restore(SmallTraining("supervised").trainer.state(), 5, "runs/a"); }),
              HasSubstr("generator"));
  TensorFiles incomplete = training.trainer.state();
  incomplete.erase("optimizer");
  EXPECT_THAT(message_of([&] { training.trainer.restore(incomplete, 5, "runs/a"); }), HasSubstr("runs/a/optimizer"));
  EXPECT_EQ(training.trainer.steps_done(), 0);
}

TEST(Trainer, StateHasAllTensorsAsViews) {
  SmallTraining training("fr-gan");
  const TensorFiles state = training.trainer.state();
  ASSERT_EQ(state.size(), 3U);
  size_t tensors = 0, parameters = 0;
  for (const Player& player : training.method->players()) {
    tensors += player.network->parameters().size() + player.network->buffers().size();
    parameters += player.network->parameters().size();
  }
  EXPECT_EQ(state.at("model").size(), tensors);
  EXPECT_EQ(state.at("optimizer").size(), 2 * parameters);
  EXPECT_EQ(state.at("average").size(), training.method->make_classifier(small_problem())->parameters().size());
  EXPECT_TRUE(state.at("model").contains("generator.norm1.running_var"));
  // The tensors are views: training changes them.
  const TensorFiles before = copies_of(state);
  training.steps(2);
  std::vector<std::string> unchanged;
  for (const auto& [file, named] : state) {
    for (const auto& [name, tensor] : named) {
      if (tensor.equal(before.at(file).at(name))) unchanged.push_back(name);
    }
  }
  EXPECT_THAT(unchanged, ElementsAre());
}

// ---- Updates

TEST(Trainer, EachPhaseUpdatesOnlyItsPlayer) {
  SmallTraining training("fr-gan", {{"gen-loss", "fm+ns"}});
  const auto flat = [&](size_t player, bool gradient) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& parameter : training.method->players()[player].network->parameters()) {
      parts.push_back((gradient ? parameter.grad() : parameter.detach()).flatten().clone());
    }
    return at::cat(parts);
  };
  // Before each phase: weights and gradients of the discriminator, then of the generator.
  std::map<uint64_t, std::vector<at::Tensor>> seen;
  training.before_batch = [&](Batch&, uint64_t, uint64_t part) {
    seen[part] = {flat(0, false), flat(0, true), flat(1, false), flat(1, true)};
  };
  training.steps(1);
  const std::vector<at::Tensor> after{flat(0, false), flat(0, true), flat(1, false), flat(1, true)};
  // The discriminator phase does not change the generator.
  EXPECT_FALSE(seen[1][0].equal(seen[0][0]));
  EXPECT_GT(seen[1][1].abs().max().item<float>(), 0);
  EXPECT_TRUE(seen[1][2].equal(seen[0][2]));
  EXPECT_EQ(seen[1][3].abs().max().item<float>(), 0);
  // The generator phase does not change the discriminator.
  EXPECT_TRUE(after[0].equal(seen[1][0]));
  EXPECT_TRUE(after[1].equal(seen[1][1]));
  EXPECT_FALSE(after[2].equal(seen[1][2]));
  EXPECT_GT(after[3].abs().max().item<float>(), 0);
}

TEST(Trainer, EachDiscriminatorStepUsesANewBatch) {
  SmallTraining training("fr-gan", {{"disc-steps", 3}});
  std::vector<std::pair<uint64_t, uint64_t>> draws;  // (part, draw)
  std::vector<at::Tensor> weights;
  training.before_batch = [&](Batch&, uint64_t draw, uint64_t part) {
    draws.emplace_back(part, draw);
    weights.push_back(training.method->players()[0].network->parameters()[0].detach().clone());
  };
  training.steps(2);
  EXPECT_THAT(draws, ElementsAre(Pair(0, 0), Pair(0, 1), Pair(0, 2), Pair(1, 0), Pair(0, 3), Pair(0, 4), Pair(0, 5),
                                 Pair(1, 1)));
  for (const size_t i : {1, 2, 3, 5, 6, 7}) EXPECT_FALSE(weights[i].equal(weights[i - 1])) << i;
  EXPECT_TRUE(weights[4].equal(weights[3]));  // the generator phase does not change them
}

// The decay of the average depends on the number of updates, which includes the repetitions of a phase.
TEST(Trainer, AverageIncludesEveryUpdate) {
  SmallTraining training("fr-gan", {{"disc-steps", 2}}, 10, at::kDouble);
  const auto network = training.method->players()[0].network;
  std::vector<at::Tensor> weights;  // before each update of the step
  training.before_batch = [&](Batch&, uint64_t, uint64_t) {
    weights.push_back(network->parameters()[0].detach().clone());
  };
  const auto average = [&] { return training.trainer.classifier()->parameters()[0].detach().clone(); };
  EXPECT_TRUE(average().equal(network->parameters()[0]));  // it starts from the initial weights
  training.steps(1);
  ASSERT_EQ(weights.size(), 3U);
  at::Tensor expected = weights[0];
  for (int update = 0; update < 2; ++update) {
    const double decay = (update + 1.0) / (update + 10.0);
    expected = decay * expected + (1 - decay) * weights[static_cast<size_t>(update) + 1];
  }
  EXPECT_TRUE(at::allclose(average(), expected, 1e-12, 1e-14));
  EXPECT_FALSE(average().equal(network->parameters()[0]));
}

TEST(Trainer, ClassifierHasAveragedWeights) {
  SmallTraining training("supervised");
  training.steps(3);
  const at::Tensor images = all_of(RandomBatches{training.problem}(ShortRequest{.all = 4}, 0, 5)).views[0];
  const auto classifier = training.trainer.classifier();
  const at::Tensor before = classifier->forward(images, {}).logits.detach();
  const TensorFiles state = training.trainer.state();
  for (const auto& [name, tensor] : state.at("model")) tensor.zero_();
  EXPECT_TRUE(classifier->forward(images, {}).logits.equal(before));
  for (const auto& [name, tensor] : state.at("average")) tensor.zero_();
  EXPECT_FALSE(classifier->forward(images, {}).logits.equal(before));
}

TEST(Trainer, TheClassifierHasTheBatchStatisticsOfTheNetwork) {
  for (const std::string network : {"conv-large", "wrn-28-2"}) {
    SCOPED_TRACE(network);
    SmallTraining training("supervised", {{"network", network}, {"learning-rate", 0.01}});
    const auto statistics = [&] {
      std::vector<at::Tensor> found;
      for (const auto& item : training.method->players()[0].network->named_buffers())
        found.push_back(item.value().clone());
      return found;
    };
    const std::vector<at::Tensor> before = statistics();
    training.steps(3);
    const std::vector<at::Tensor> after = statistics(), averaged = training.trainer.classifier()->buffers();
    ASSERT_FALSE(after.empty());
    for (size_t i = 0; i < after.size(); ++i) {
      EXPECT_TRUE(averaged[i].equal(after[i])) << i;
      EXPECT_FALSE(before[i].equal(after[i])) << i;
    }
  }
}

// ---- Losses

TEST(Trainer, TakeLossesReturnsMeansSinceTheLastCall) {
  SmallTraining each("fr-gan", {{"disc-steps", 2}}, 10, at::kDouble),
      together("fr-gan", {{"disc-steps", 2}}, 10, at::kDouble);
  EXPECT_THAT(each.trainer.take_losses(), ElementsAre());
  std::vector<std::string> names;
  std::map<std::string, double> sums;
  for (int step = 0; step < 3; ++step) {
    each.steps(1);
    names.clear();
    for (const auto& [name, value] : each.trainer.take_losses()) {
      names.push_back(name);
      sums[name] += value / 3;
    }
  }
  EXPECT_THAT(names, ElementsAre("supervised", "real", "fake", "consistency", "generator"));
  together.steps(3);
  const auto means = together.trainer.take_losses();
  ASSERT_EQ(means.size(), names.size());
  for (const auto& [name, value] : means) EXPECT_NEAR(value, sums[name], 1e-12) << name;
  // take_losses has reset the sums.
  each.steps(1);
  together.steps(1);
  EXPECT_EQ(each.trainer.take_losses(), together.trainer.take_losses());
  const auto& terms = each.trainer.terms();
  ASSERT_EQ(terms.size(), names.size());
  EXPECT_EQ(terms[1].name, "real");
  EXPECT_EQ(terms[1].weight, "adv_weight");
  EXPECT_EQ(terms[3].weight, "consistency_weight");
}

// An infinite pixel or noise value in the fourth step is reported for the first loss term that uses it, also after
// later steps.
TEST(Trainer, ReportsTheFirstNonFiniteLoss) {
  const float inf = std::numeric_limits<float>::infinity();
  struct Case {
    uint64_t part;  // index of the phase
    std::function<void(Batch&)> spoil;
    std::string term;
  };
  const std::vector<Case> cases{{0, [&](Batch& batch) { labeled_of(batch).views[0].view(-1)[7] = inf; }, "supervised"},
                                {0, [&](Batch& batch) { all_of(batch).views[0].view(-1)[7] = inf; }, "real"},
                                {0, [&](Batch& batch) { all_of(batch).views[1].view(-1)[7] = inf; }, "consistency"},
                                {0, [&](Batch& batch) { batch.noise.view(-1)[7] = inf; }, "fake"},
                                {1, [&](Batch& batch) { batch.noise.view(-1)[7] = -inf; }, "generator"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.term);
    SmallTraining training("fr-gan", {{"disc-steps", 2}});
    training.before_batch = [&](Batch& batch, uint64_t draw, uint64_t part) {
      if (part == c.part && draw == (part == 0 ? 7 : 3))
        c.spoil(batch);  // the last batch of the fourth step in that phase
    };
    training.steps(3);
    EXPECT_FALSE(training.trainer.first_non_finite().has_value());
    EXPECT_FALSE(training.trainer.first_non_finite_tensor().has_value());
    training.steps(3);
    const auto found = training.trainer.first_non_finite();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->term, c.term);
    EXPECT_EQ(found->step, 4);  // counted from 1
    EXPECT_THAT(training.trainer.first_non_finite_tensor().value_or("none"), HasSubstr("/"));
    training.trainer.discard_losses();
    EXPECT_FALSE(training.trainer.first_non_finite().has_value());
  }
}

// ---- Schedules

TEST(Trainer, SchedulesScaleWithThePlannedSteps) {
  SmallTraining training("fr-gan", {{"learning-rate", 0.01}, {"decay-start", 0.5}, {"consistency-weight", 20}}, 100);
  Trainer& trainer = training.trainer;
  EXPECT_EQ(trainer.plan().steps(), 100);
  EXPECT_EQ(trainer.progress(), 0);
  training.steps(1);
  EXPECT_EQ(trainer.progress(), 0.01);
  EXPECT_DOUBLE_EQ(trainer.scheduled("learning_rate", 0.25), 0.01);
  EXPECT_DOUBLE_EQ(trainer.scheduled("learning_rate", 0.75), 0.005);
  EXPECT_EQ(trainer.scheduled("consistency_weight", 0), 0);
  EXPECT_EQ(trainer.scheduled("consistency_weight", 0.5), 20);
  trainer.plan() = StepPlan(4);
  EXPECT_EQ(trainer.progress(), 0.25);
  EXPECT_THROW(trainer.scheduled("no such", 0), c10::Error);
}

// Steps use the scheduled learning rate: at the end of the run it is 0, so the weights do not change.
TEST(Trainer, StepsFollowTheLearningRate) {
  SmallTraining training("supervised", {{"decay-start", 0.0}}, 2);
  const at::Tensor weights = training.method->players()[0].network->parameters()[0].detach();
  const auto moved = [&] {
    const at::Tensor before = weights.clone();
    training.trainer.step();
    return (weights - before).abs().max().item<float>();
  };
  EXPECT_NEAR(moved(), 3e-4, 3e-5);  // Adam's first update has the size of the learning rate
  EXPECT_LT(moved(), 2.5e-4);
  EXPECT_EQ(moved(), 0);
}

}  // namespace
}  // namespace frgan

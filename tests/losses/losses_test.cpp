#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "frgan/device/random.h"
#include "frgan/losses/adversarial.h"
#include "frgan/losses/classification.h"
#include "frgan/losses/consistency.h"
#include "frgan/losses/feature_matching.h"
#include "frgan/losses/information.h"
#include "frgan/losses/pseudo_label.h"

namespace frgan {
namespace {

constexpr double kTight = 1e-12;

using Inputs = std::map<std::string, at::Tensor>;

const GoldenFile& golden() {
  static const GoldenFile file("losses");
  return file;
}

// Compares a loss and its gradient with respect to each input with loss `name` of the golden file.
void expect_golden(const std::string& name, const Inputs& inputs,
                   const std::function<at::Tensor(const Inputs&)>& loss) {
  SCOPED_TRACE(name);
  Inputs leaves;
  for (const auto& [key, tensor] : inputs) leaves[key] = tensor.clone().requires_grad_();
  const at::Tensor value = loss(leaves);
  EXPECT_EQ(value.dim(), 0);
  EXPECT_TRUE(close_to(value, golden()[name + ".value"], kTight));
  value.backward();
  for (const auto& [key, leaf] : leaves) {
    const at::Tensor gradient = leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf);
    EXPECT_TRUE(close_to(gradient, golden()[name + ".d" + key], kTight)) << key;
    EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << key;
  }
}

// Three classes, ten classes, and logits in the hundreds.
const std::vector<std::string> kCases{"k3.", "k10.", "kextreme."};

TEST(Losses, SupervisedMatchesGoldenValues) {
  for (const std::string& k : kCases) {
    const at::Tensor logits = golden()[k + "first"], labels = golden()[k + "labels"],
                     some = golden()[k + "some_labels"];
    const int64_t classes = logits.size(1);
    expect_golden(k + "supervised", {{"logits", logits}},
                  [&](const Inputs& x) { return cross_entropy(x.at("logits"), labels, classes); });
    expect_golden(k + "supervised_mixed", {{"logits", logits}},
                  [&](const Inputs& x) { return masked_cross_entropy(x.at("logits"), some, classes); });
  }
}

TEST(Losses, AdversarialMatchesGoldenValues) {
  for (const std::string& k : kCases) {
    const at::Tensor first = golden()[k + "first"], second = golden()[k + "second"];
    const int64_t classes = first.size(1);
    const auto score = [&](const Inputs& x, const std::string& key) { return real_score(x.at(key), classes); };
    const Inputs logits{{"logits", first}};
    expect_golden(k + "adversarial_real", logits, [&](const Inputs& x) { return real_loss(score(x, "logits")); });
    expect_golden(k + "adversarial_fake", logits, [&](const Inputs& x) { return fake_loss(score(x, "logits")); });
    expect_golden(k + "nonsaturating", logits, [&](const Inputs& x) { return real_loss(score(x, "logits")); });
    expect_golden(k + "saturating", logits, [&](const Inputs& x) { return -fake_loss(score(x, "logits")); });
    for (const std::string weight : {"0.5", "1.0"}) {
      expect_golden(k + "adversarial_weight_" + weight, {{"real", first}, {"fake", second}}, [&](const Inputs& x) {
        return std::stod(weight) * (real_loss(score(x, "real")) + fake_loss(score(x, "fake")));
      });
    }
  }
}

// Names in the golden file.
constexpr std::pair<const char*, MseReduction> kReductions[] = {{"mean", MseReduction::kMean},
                                                                {"sum_classes", MseReduction::kSumClasses}};

TEST(Losses, ConsistencyMatchesGoldenValues) {
  for (const std::string& k : kCases) {
    const at::Tensor first = golden()[k + "first"], second = golden()[k + "second"];
    for (const auto& [target_name, target] :
         {std::pair{"probabilities", ConsistencyTarget::kProbabilities}, {"logits", ConsistencyTarget::kLogits}}) {
      for (const auto& [reduction_name, reduction] : kReductions) {
        for (const bool stop : {false, true}) {
          const auto compared = [&, target = target](const at::Tensor& logits) {
            return consistency_target(target, logits, /*features=*/{}, first.size(1));
          };
          expect_golden(k + "consistency_" + target_name + "_" + reduction_name + (stop ? "_stop" : ""),
                        {{"first", first}, {"second", second}}, [&, reduction = reduction](const Inputs& x) {
                          const at::Tensor other = compared(x.at("second"));
                          return consistency_loss(compared(x.at("first")), stop ? other.detach() : other, reduction);
                        });
        }
      }
    }
  }
}

TEST(Losses, FeatureLossesMatchGoldenValues) {
  const at::Tensor real = golden()["features.real"], fake = golden()["features.fake"];
  for (const auto& [name, reduction] : kReductions) {
    expect_golden("features.consistency_" + std::string(name), {{"real", real}, {"fake", fake}},
                  [&, reduction = reduction](const Inputs& x) {
                    const auto compared = [](const at::Tensor& features) {
                      return consistency_target(ConsistencyTarget::kFeatures, /*logits=*/{}, features, 10);
                    };
                    return consistency_loss(compared(x.at("real")), compared(x.at("fake")), reduction);
                  });
  }
  // The real features are constants, as in FrGan::generator_losses.
  expect_golden("features.feature_matching", {{"real", real}, {"fake", fake}},
                [](const Inputs& x) { return feature_matching_loss(x.at("real").detach(), x.at("fake")); });
  expect_golden("features.feature_matching_nonsaturating", {{"logits", golden()["k10.first"]}, {"fake", fake}},
                [&](const Inputs& x) {
                  return feature_matching_loss(real, x.at("fake")) + real_loss(real_score(x.at("logits"), 10));
                });
}

TEST(Losses, ExplicitFakeClassMatchesGoldenValues) {
  const Inputs logits{{"logits", golden()["explicit.logits"]}};
  const at::Tensor labels = golden()["explicit.labels"];
  expect_golden("explicit.supervised", logits,
                [&](const Inputs& x) { return cross_entropy(x.at("logits"), labels, 10); });
  expect_golden("explicit.adversarial_real", logits,
                [](const Inputs& x) { return real_loss(real_score(x.at("logits"), 10)); });
  expect_golden("explicit.adversarial_fake", logits,
                [](const Inputs& x) { return fake_loss(real_score(x.at("logits"), 10)); });
  expect_golden("explicit.nonsaturating", logits,
                [](const Inputs& x) { return real_loss(real_score(x.at("logits"), 10)); });
  expect_golden("explicit.consistency",
                {{"first", golden()["explicit.logits"]}, {"second", golden()["explicit.other"]}}, [](const Inputs& x) {
                  return consistency_loss(consistency_target(ConsistencyTarget::kProbabilities, x.at("first"), {}, 10),
                                          consistency_target(ConsistencyTarget::kProbabilities, x.at("second"), {}, 10),
                                          MseReduction::kMean);
                });
}

at::Tensor random_tensor(at::IntArrayRef shape, double bound, uint64_t key) {
  return random_uniform(shape, -bound, bound, key, at::kDouble);
}

// Eq. 6 literally: D(x) = 1 - p(K+1 | x), with a softmax over K + 1 logits. The last logit is 0 or an output of the
// network.
TEST(Losses, LogSumExpFormEqualsPlainSoftmax) {
  for (const int64_t classes : {2, 10, 1000}) {
    for (const bool explicit_fake : {false, true}) {
      SCOPED_TRACE(classes);
      const at::Tensor logits = random_tensor({6, classes + explicit_fake}, 4, 1);
      const at::Tensor all = explicit_fake ? logits : at::cat({logits, at::zeros({6, 1}, at::kDouble)}, 1);
      const at::Tensor generated = at::softmax(all, 1).select(1, classes);  // p(K+1 | x)
      const at::Tensor score = real_score(logits, classes);
      EXPECT_TRUE(close_to(at::sigmoid(score), 1 - generated, kTight));
      EXPECT_TRUE(close_to(real_loss(score), -(1 - generated).log().mean(), 1e-10));
      EXPECT_TRUE(close_to(fake_loss(score), -generated.log().mean(), kTight));
      const at::Tensor labels = random_integers({6}, 0, classes, 2, at::kCPU);
      const at::Tensor real = at::softmax(all.narrow(1, 0, classes), 1);  // p(y | x, y <= K)
      EXPECT_TRUE(
          close_to(cross_entropy(logits, labels, classes), -real.gather(1, labels.unsqueeze(1)).log().mean(), kTight));
    }
  }
}

// In single precision, exp(100) overflows to infinity.
TEST(Losses, StayFiniteForLargeLogits) {
  for (const double size : {100.0, 1e4, 1e30}) {
    for (const double sign : {1.0, -1.0}) {
      SCOPED_TRACE(sign * size);
      const at::Tensor logits = (at::full({2, 3}, sign * size) * at::tensor({1.0, 0.5, -1.0})).requires_grad_();
      const at::Tensor labels = at::tensor({0, 2}, at::kLong);
      const at::Tensor score = real_score(logits, 3);
      const at::Tensor all =
          at::stack({cross_entropy(logits, labels, 3), masked_cross_entropy(logits, labels - 1, 3), real_loss(score),
                     fake_loss(score),
                     consistency_loss(consistency_target(ConsistencyTarget::kProbabilities, logits, {}, 3),
                                      at::full({2, 3}, 1.0 / 3), MseReduction::kMean)});
      EXPECT_TRUE(at::isfinite(all).all().item<bool>()) << all;
      const at::Tensor gradient = torch::autograd::grad({all.sum()}, {logits})[0];
      EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << gradient;
    }
  }
}

TEST(Losses, MaskedCrossEntropyIgnoresUnlabeledRows) {
  const at::Tensor logits = random_tensor({6, 4}, 3, 1).requires_grad_();
  const at::Tensor labels = at::tensor({1, -1, 3, -1, -1, 0}, at::kLong);
  const at::Tensor rows = at::tensor({0, 2, 5}, at::kLong);
  const at::Tensor masked = masked_cross_entropy(logits, labels, 4);
  EXPECT_TRUE(
      close_to(masked, cross_entropy(logits.index_select(0, rows), labels.index_select(0, rows), 4) * 3 / 6, kTight));
  masked.backward();
  const at::Tensor moved = logits.grad().abs().sum(1).gt(0);
  EXPECT_TRUE(moved.equal(labels.ge(0)));
  // A batch without labels has zero loss and zero gradients.
  const at::Tensor none = random_tensor({3, 4}, 3, 2).requires_grad_();
  const at::Tensor nothing = masked_cross_entropy(none, at::full({3}, -1, at::kLong), 4);
  nothing.backward();
  EXPECT_EQ(nothing.item<double>(), 0);
  EXPECT_EQ(none.grad().abs().max().item<double>(), 0);
}

TEST(Losses, ConsistencyIsZeroOnlyForEqualInputs) {
  const at::Tensor z = random_tensor({5, 10}, 2, 1), other = random_tensor({5, 10}, 2, 2);
  EXPECT_EQ(consistency_loss(z, z, MseReduction::kMean).item<double>(), 0);
  EXPECT_GT(consistency_loss(z, other, MseReduction::kMean).item<double>(), 0);
  // A10: for ten classes, the literal sum is 10 times the mean.
  EXPECT_TRUE(close_to(consistency_loss(z, other, MseReduction::kSumClasses),
                       10 * consistency_loss(z, other, MseReduction::kMean), kTight));
}

TEST(Losses, PseudoLabelsMatchGoldenValues) {
  const GoldenFile golden("pseudo_label");
  for (const auto& [name, threshold] : std::map<std::string, double>{{"low", 0.0}, {"high", 0.6}}) {
    SCOPED_TRACE(name);
    const at::Tensor weak = golden["weak"].requires_grad_(), strong = golden["strong"].requires_grad_();
    const PseudoLabelLoss found = pseudo_label_loss(weak, strong, threshold, 5);
    EXPECT_TRUE(close_to(found.loss, golden[name + ".loss"], 1e-14));
    EXPECT_TRUE(close_to(found.confident, golden[name + ".confident"], 1e-14));
    const auto gradients = torch::autograd::grad({found.loss}, {weak, strong}, {}, true, false, /*allow_unused=*/true);
    EXPECT_FALSE(gradients[0].defined());
    EXPECT_TRUE(close_to(gradients[1], golden[name + ".gradient"], 1e-13));
    // A fake class is ignored.
    const auto with_fake = [](const at::Tensor& logits) { return at::cat({logits, at::full({12, 1}, 9.0)}, 1); };
    EXPECT_TRUE(close_to(pseudo_label_loss(with_fake(weak), with_fake(strong), threshold, 5).loss, found.loss, 1e-14));
  }
}

TEST(Losses, FeatureMatchingComparesBatchMeans) {
  const at::Tensor real = at::tensor({1.0, 4.0, 3.0, 0.0}, at::kDouble).view({2, 2});            // means 2, 2
  const at::Tensor fake = at::tensor({3.0, 1.0, 3.0, 2.0, 3.0, 0.0}, at::kDouble).view({3, 2});  // means 3, 1
  EXPECT_DOUBLE_EQ(feature_matching_loss(real, fake).item<double>(), 1);
  EXPECT_DOUBLE_EQ(feature_matching_loss(real, real).item<double>(), 0);
}

TEST(InformationLosses, FollowTheirDefinitions) {
  const at::Tensor p = at::tensor({0.5, 0.25, 0.25, 0.1, 0.8, 0.1}, at::kDouble).view({2, 3}),
                   q = at::tensor({0.2, 0.4, 0.4, 0.3, 0.3, 0.4}, at::kDouble).view({2, 3});
  double crossed = 0;
  for (const auto& [one, other] : {std::pair{p, q}, {q, p}}) crossed -= (one * other.log()).sum().item<double>() / 4;
  EXPECT_NEAR(cross_entropy_of_views(p.log(), q.log()).item<double>(), crossed, 1e-12);
  const at::Tensor mean = at::cat({p, q}).mean(0);
  EXPECT_NEAR(entropy_of_mean(p.log(), q.log()).item<double>(), -(mean * mean.log()).sum().item<double>(), 1e-12);
  const at::Tensor uniform = at::full({4, 3}, 1.0 / 3, at::kDouble).log();
  EXPECT_NEAR(entropy_of_mean(uniform, uniform).item<double>(), std::log(3.0), 1e-12);
}

TEST(InformationLosses, AreFiniteForCertainPredictions) {
  const at::Tensor logits = at::tensor({900.0, 0.0, -900.0, 900.0, 0.0, -900.0}, at::kDouble).view({2, 3});
  const at::Tensor leaf = logits.clone().requires_grad_(), log_p = leaf.log_softmax(1);
  const at::Tensor loss = cross_entropy_of_views(log_p, log_p) - entropy_of_mean(log_p, log_p);
  loss.backward();
  EXPECT_NEAR(loss.item<double>(), 0, 1e-12);
  EXPECT_TRUE(at::isfinite(leaf.grad()).all().item<bool>());
}

}  // namespace
}  // namespace frgan

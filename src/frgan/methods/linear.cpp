#include "frgan/methods/linear.h"

#include <algorithm>

#include "frgan/device/random.h"
#include "frgan/losses/classification.h"
#include "frgan/methods/logistic_regression.h"
#include "frgan/nn/networks.h"

namespace frgan {

void Linear::describe(OptionSet& options) {
  options.group("Logistic regression");
  options.add("l2", l2_,
              "Strength of the penalty: l2/2 times the sum of the squared weights is added to the sum of the losses of "
              "the labeled images, for features whose squares have the mean 1. 0 chooses it by cross-validation.",
              Range<double>{0, 1e9});
  options.add("folds", folds_, "Parts of the labeled images in the cross-validation of --l2.",
              Range<int64_t>{2, 100, "parts"});
  frgan::describe(options, network_);
}

void Linear::validate() const {
  check_input(network_);
}

void Linear::build(const Problem& problem) {
  problem_ = problem;
  classifier_ = make_classifier(problem);
  average_ = make_classifier(problem);
  held_out_logits_ = at::zeros({labeled_images(), problem.shape.classes}, at::kDouble);
  held_out_labels_ = at::full({labeled_images()}, -1, at::kLong);
}

int64_t Linear::labeled_images() const {
  return std::max<int64_t>(problem_.labeled_images, problem_.shape.classes);
}

NamedTensors Linear::state() const {
  return {{"held_out.logits", held_out_logits_}, {"held_out.labels", held_out_labels_}};
}

std::optional<CrossValidated> Linear::cross_validated() const {
  const at::Tensor rows = held_out_labels_.ge(0).nonzero().flatten();
  if (rows.numel() == 0) return std::nullopt;
  return CrossValidated{held_out_logits_.index_select(0, rows), held_out_labels_.index_select(0, rows)};
}

NetworkPtr Linear::make_classifier(const Problem& problem) const {
  NetworkPtr network = build_network(network_, problem);
  freeze_all_but_last_layer(*network);
  return network;
}

std::vector<Player> Linear::players() const {
  return {{"classifier", classifier_, {}, "zero", {{kAverage, average_, "zero"}}}};
}

std::vector<Schedule> Linear::schedules() const {
  return {{"one", [](double, double) { return 1.0; }}, {"zero", [](double, double) { return 0.0; }}};
}

std::vector<Stage> Linear::stages() {
  const int64_t labels = labeled_images();
  const BatchRequest labeled{{{Pool::kLabeled, labels, {kFeatureView}}}};
  Stage stage{.name = "training", .initial_batch = labeled};
  stage.initialize = [this](const Batch& batch) { fit(batch); };
  stage.phases = {{"classifier", labeled, 1, {"classifier"}, [this](const Batch& batch) { return losses(batch); }}};
  stage.step_flop = static_cast<double>(labels) * 3 * classifier_->layers().back().flop;
  return {stage};
}

void Linear::fit(const Batch& batch) {
  const DrawnImages& labeled = batch.from(Pool::kLabeled);
  const at::Tensor features = classifier_->forward(labeled.views[0], {}).features.to(at::kCPU, at::kDouble);
  const double scale = features_scale(features);
  const at::Tensor scaled = features / scale, labels = labeled.labels.cpu();
  const int64_t classes = problem_.shape.classes;
  const uint64_t key = random_key(problem_.seed, Stream::kLabeledOrder);
  const CrossValidation validation = cross_validate(scaled, labels, classes, folds_, key, l2_);
  held_out_labels_.index_copy_(0, validation.held_out, labels.index_select(0, validation.held_out));
  held_out_logits_.index_copy_(0, validation.held_out, validation.logits);
  const LinearClassifier found = fit_logistic_regression(scaled, labels, classes, validation.l2);
  set_last_layer(*classifier_, found.weight / scale, found.bias);
}

std::vector<Losses> Linear::losses(const Batch& batch) {
  const DrawnImages& labeled = batch.from(Pool::kLabeled);
  const Classified out = classifier_->forward(labeled.views[0], {.precision = problem_.precision});
  return {{{"supervised", "one", cross_entropy(out.logits, labeled.labels, problem_.shape.classes)}}};
}

}  // namespace frgan

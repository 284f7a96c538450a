#include "frgan/methods/linear.h"

#include "frgan/device/random.h"
#include "frgan/losses/classification.h"
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

BatchRequest Linear::request() const {
  return {{{Pool::kLabeled, labeled_images(), {kFeatureView}}}};
}

std::vector<Stage> Linear::stages() {
  Stage stage{.name = "training", .initial_batch = request()};
  stage.initialize = [this](const Batch& batch) { initialize(batch); };
  stage.phases = {{"classifier", request(), 1, {"classifier"}, [this](const Batch& batch) {
                     return std::vector<Losses>{losses(batch)};
                   }}};
  stage.step_flop = static_cast<double>(images_of(request())) * 3 * classifier_->layers().back().flop;
  return {stage};
}

void Linear::initialize(const Batch& batch) {
  const DrawnImages& labeled = batch.from(Pool::kLabeled);
  const at::Tensor features = features_of(labeled.views[0]);
  const int64_t classes = problem_.shape.classes;
  Fit found;
  found.scale = features_scale(features);
  found.features = features / found.scale;
  found.labels = labeled.labels.cpu();
  found.key = random_key(problem_.seed, Stream::kLabeledOrder);
  const CrossValidation validation = cross_validate(found.features, found.labels, classes, folds_, found.key, l2_);
  set_cross_validated(found.labels, validation.held_out, validation.logits);
  found.l2 = validation.l2;
  found.classifier = fit_logistic_regression(found.features, found.labels, classes, found.l2);
  const LinearClassifier solution = fit(found, batch);
  set_last_layer(*classifier_, solution.weight / found.scale, solution.bias);
}

void Linear::set_cross_validated(const at::Tensor& labels, const at::Tensor& held_out, const at::Tensor& logits) {
  held_out_labels_.index_copy_(0, held_out, labels.index_select(0, held_out));
  held_out_logits_.index_copy_(0, held_out, logits);
}

Losses Linear::losses(const Batch& batch) {
  const DrawnImages& labeled = batch.from(Pool::kLabeled);
  return {{"supervised", "one",
           cross_entropy(classified(labeled.views[0]).logits, labeled.labels, problem_.shape.classes)}};
}

}  // namespace frgan

#include "frgan/methods/imsat.h"

#include <algorithm>
#include <string>
#include <vector>

#include "frgan/losses/information.h"
#include "frgan/methods/information_maximization.h"

namespace frgan {
namespace {

constexpr int64_t kIterations = 80;

}  // namespace

void Imsat::describe(OptionSet& options) {
  Linear::describe(options);
  options.group("Information maximization");
  options.add("information-weight", information_,
              "Weight of the term of all images: their predictions should be confident, balanced and the same for both "
              "views. 0 chooses among 0, 0.1 and 0.3 by cross-validation.",
              Range<double>{0, 1e6});
  options.add("balance-weight", balance_,
              "Weight of the entropy of the mean prediction within this term. Larger values make the classes more "
              "equally frequent.",
              Range<double>{0, 1e6});
}

BatchRequest Imsat::request() const {
  const int64_t all = std::max<int64_t>(problem().train_images, labeled_images());
  const std::vector<std::string> views{kFeatureView, kStrongFeatureView};
  return {{{Pool::kLabeled, labeled_images(), views}, {Pool::kAll, all, views}}};
}

LinearClassifier Imsat::fit(const Fit& labeled, const Batch& batch) {
  const std::vector<at::Tensor>& all = batch.from(Pool::kAll).views;
  const FeatureViews x{labeled.features, features_of(batch.from(Pool::kLabeled).views[1]) / labeled.scale};
  // Single precision halves the time of the products with the features of all images.
  const FeatureViews u{(features_of(all[0]) / labeled.scale).to(at::kFloat),
                       (features_of(all[1]) / labeled.scale).to(at::kFloat)};
  InformationWeights weights{.l2 = labeled.l2, .information = information_, .balance = balance_};
  const InformationChoice choice =
      cross_validate_information(x, labeled.labels, u, problem().shape.classes, weights, folds(), labeled.key);
  set_cross_validated(labeled.labels, choice.held_out, choice.logits);
  weights.information = choice.information;
  if (weights.information == 0) return labeled.classifier;
  return fit_information_maximization(x, labeled.labels, u, weights, labeled.classifier, kIterations);
}

Losses Imsat::losses(const Batch& batch) {
  Losses losses = Linear::losses(batch);
  const std::vector<at::Tensor>& views = batch.from(Pool::kAll).views;
  const int64_t classes = problem().shape.classes;
  const auto log_p = [&](const at::Tensor& view) {
    return classified(view).logits.narrow(1, 0, classes).log_softmax(1);
  };
  const at::Tensor first = log_p(views[0]), second = log_p(views[1]);
  losses.push_back({"view_entropy", "", cross_entropy_of_views(first, second)});
  losses.push_back({"class_entropy", "", entropy_of_mean(first, second)});
  return losses;
}

}  // namespace frgan

// IMSAT with labels: "Learning discrete representations via information maximizing self-augmented training" (Hu et al.
// 2017), on the features of a frozen network.
#pragma once

#include "frgan/methods/linear.h"

namespace frgan {

// Fits the last layer of an encoder with published weights to the labels and to all training images
// (information_maximization.h). The views are the features of each image, and those of the image with one change of
// --strong-augmentation. Both are computed once. Without such a change, the method is the regularized information
// maximization of Krause, Perona & Gomes (2010).
//
// Differences from the paper: a linear classifier instead of a network, fixed views instead of adversarial ones, and
// labels. The weight of the unlabeled term is cross-validated over the labels; it is 0 if the term does not help, and
// the method is then `linear`.
class Imsat : public Linear {
 public:
  void describe(OptionSet& options) override;

 protected:
  BatchRequest request() const override;
  LinearClassifier fit(const Fit& labeled, const Batch& batch) override;
  Losses losses(const Batch& batch) override;

 private:
  double information_ = 0;
  double balance_ = 2;
};

}  // namespace frgan

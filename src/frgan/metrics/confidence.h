// How far the confidence of a classifier can be trusted: calibration, risk and coverage, certified thresholds, and the
// separation of two sets by a score. Pure functions of predictions whose labels are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "frgan/classifier/calibration.h"

namespace frgan {

// The predictions whose confidence is in one of the intervals ((i - 1) / B, i / B]; 0 belongs to the first.
struct ReliabilityBin {
  double low = 0, high = 1;
  int64_t images = 0;
  double confidence = 0, accuracy = 0;  // means over the images, 0 to 1
};
// The bins that have images, in ascending order.
std::vector<ReliabilityBin> reliability(std::span<const ScoredPrediction> predictions, int bins = 15);

// Expected calibration error (Naeini et al. 2015): the mean of |confidence - accuracy| over the images, where both are
// means of a bin. 0 without images.
double calibration_error(std::span<const ReliabilityBin> bins);

// What happens if only predictions with at least this confidence are accepted.
struct CoveragePoint {
  double threshold = 0;
  double coverage = 0;  // accepted share of the images
  double risk = 0;      // error of the accepted images
};
// The curve by descending threshold: one point for each distinct confidence, thinned to about `most_points`. The last
// point accepts all images.
std::vector<CoveragePoint> risk_coverage(std::span<const ScoredPrediction> predictions, size_t most_points = 100);

// Area under the ROC curve: the probability that a random positive has a higher score than a random negative; equal
// scores count half. NaN if one of the sets is empty.
double auroc(std::span<const double> positives, std::span<const double> negatives);

// Upper end of the one-sided confidence interval of an error (Clopper & Pearson 1934): the error at which at most
// `wrong` of `images` have the probability 1 - level. 1 for no images.
double upper_error_bound(int64_t wrong, int64_t images, double level = 0.95);

// The number of images without an error that show an error of at most `most`, 0 to 1: 59 for 5 %.
int64_t images_to_certify(double most, double level = 0.95);

// A threshold whose accepted predictions have an error of at most a given one, with the confidence `level`.
struct CertifiedThreshold {
  double threshold = 0;
  int64_t images = 0, wrong = 0;  // of the held-out images that reach it
  double coverage = 0;            // their share
  double bound = 1;               // upper_error_bound of these numbers
};

// A low threshold that held-out predictions certify; empty if they certify none.
//
// A chain of tests begins at a threshold that accepts m images, and continues to lower ones. The next threshold accepts
// the fewest images that may contain one more error. A chain stops at the first test that fails, so it needs no
// correction for the number of its tests (fixed-sequence testing). There are C chains that begin at m0, 2 m0, 4 m0, ...
// images, where m0 images without an error pass. Each has the level 1 - (1 - level) / C. Several chains are needed
// because a single error among the most confident images must not end the search. Fewer than 2 m0 images give one
// chain, with m0 = images_to_certify(most, level).
std::optional<CertifiedThreshold> certified_threshold(std::span<const ScoredPrediction> held_out, double most,
                                                      double level = 0.95);

}  // namespace frgan

#include "frgan/data/label_noise.h"

#include <cmath>
#include <limits>

#include "frgan/device/random.h"

namespace frgan {
namespace {

constexpr uint64_t kChosenPart = 0, kClassPart = 1;

}  // namespace

void describe(OptionSet& options, LabelNoiseOptions& noise) {
  options.add("label-noise", noise.level, "Fraction of labels to corrupt (A24: level and kind of wrong labels).",
              Range<double>{0, 1});
  options.add("label-noise-kind", noise.kind,
              "How a corrupted label gets its new class: wrong (a random other class), random (any class), or "
              "matrix:FILE (a row "
              "of probabilities per true class; A24: level and kind of wrong labels).");
  options.add("label-noise-seed", noise.seed, "Seed for the choice of corrupted labels and their new classes.",
              Range<int64_t>{0, std::numeric_limits<int64_t>::max()});
}

std::vector<int64_t> noisy_labels(const std::vector<int64_t>& labels, const NoiseMatrix& matrix, double level,
                                  int64_t seed) {
  std::vector<int64_t> shown = labels;
  const auto count = static_cast<int64_t>(labels.size());
  const auto corrupted = std::llround(level * static_cast<double>(count));
  const at::Tensor order =
      random_permutation(count, random_key(static_cast<uint64_t>(seed), Stream::kLabelNoise, 0, kChosenPart));
  const uint64_t key = random_key(static_cast<uint64_t>(seed), Stream::kLabelNoise, 0, kClassPart);
  for (int64_t i = 0; i < corrupted; ++i) {
    const auto place = static_cast<size_t>(order.data_ptr<int64_t>()[i]);
    const std::vector<double>& probabilities = matrix[static_cast<size_t>(labels[place])];
    const double point = std::ldexp(static_cast<double>(random_bits(key, place) >> 11), -53);  // [0, 1)
    double cumulative = 0;
    int64_t last = labels[place];
    bool found = false;
    for (size_t k = 0; k < probabilities.size() && !found; ++k) {
      if (probabilities[k] == 0) continue;
      cumulative += probabilities[k];
      last = static_cast<int64_t>(k);  // used if the row sums to less than `point` by rounding
      found = point < cumulative;
    }
    shown[place] = last;
  }
  return shown;
}

}  // namespace frgan

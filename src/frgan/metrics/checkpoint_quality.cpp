#include "frgan/metrics/checkpoint_quality.h"

#include "frgan/classifier/pixel_classifier.h"

namespace frgan {

QualityBasis quality_basis(const Checkpoint& checkpoint, const at::Tensor& images) {
  const CheckpointState& state = checkpoint.state;
  QualityBasis basis{.class_names = state.class_names,
                     .calibration = state.calibration,
                     .label_counts = state.label_split.value("counts", std::vector<int64_t>())};
  if (const auto pixels = read_pixel_classifier(checkpoint)) {
    basis.pixel_predictions = pixels->predict(images);
    basis.pixel_side = PixelClassifier::kSide;
  }
  return basis;
}

}  // namespace frgan

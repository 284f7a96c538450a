#include "frgan/train/diagnostics.h"

#include "frgan/core/run_files.h"
#include "frgan/metrics/diagnostics.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/report/gates.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"
#include "frgan/report/mistakes.h"

namespace frgan {

Classification write_diagnostics(const std::filesystem::path& folder, const Discriminator& network,
                                 const DiagnosedImages& images, Precision precision, const StopCheck& stopped) {
  const Diagnosis diagnosis = diagnose(network, images.set, precision, stopped);
  const std::span<const int64_t> labels = values_of(images.set.labels);
  const Classification result = score_predictions(labels, diagnosis.predictions, network->shape().classes);
  Mistakes mistakes =
      find_mistakes(labels, diagnosis.predictions, diagnosis.probabilities, images.class_names, kShownMistakes);
  mistakes.role = images.role;
  mistakes.data_digest = images.data_digest;
  mistakes.split_digest = images.split_digest;
  write_mistakes(folder / kMistakesFile, mistakes);
  if (mistakes.shown.empty()) {
    std::filesystem::remove(folder / kMistakesImage);
  } else {
    const at::Tensor shown = images.set.rows(mistakes.shown).images.cpu();
    write_image_grid(folder / kMistakesImage, view_of(shown), kGridColumns);
  }
  write_gates(folder / kGatesFile, diagnosis.gates);
  return result;
}

}  // namespace frgan

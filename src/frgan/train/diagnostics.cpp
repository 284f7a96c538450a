#include "frgan/train/diagnostics.h"

#include "frgan/core/run_files.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/report/gates.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"
#include "frgan/report/mistakes.h"

namespace frgan {

Classification write_diagnostics(const std::filesystem::path& folder, const Diagnosis& diagnosis,
                                 const DiagnosedImages& images) {
  const std::span<const int64_t> labels = values_of(images.set.labels);
  const Classification result = score_predictions(labels, diagnosis.predictions, std::ssize(images.class_names));
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

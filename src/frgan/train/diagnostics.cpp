#include "frgan/train/diagnostics.h"

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/report/gates.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"
#include "frgan/report/mistakes.h"

namespace frgan {

Quality write_diagnostics(const std::filesystem::path& folder, const Diagnosis& diagnosis,
                          const DiagnosedImages& images, const QualityBasis& basis) {
  const std::span<const int64_t> labels = values_of(images.set.labels);
  Mistakes mistakes =
      find_mistakes(labels, diagnosis.predictions, diagnosis.probabilities, images.class_names, kShownMistakes);
  mistakes.role = images.role;
  mistakes.data_digest = images.data_digest;
  mistakes.split_digest = images.split_digest;
  if (!images.set.files.empty()) {
    for (Mistake& mistake : mistakes.mistakes) {
      mistake.file = one_line(images.set.files[static_cast<size_t>(mistake.row)]);
    }
  }
  write_mistakes(folder / kMistakesFile, mistakes);
  if (mistakes.shown.empty()) {
    std::filesystem::remove(folder / kMistakesImage);
  } else {
    const at::Tensor shown = images.set.rows(mistakes.shown).images.cpu();
    write_image_grid(folder / kMistakesImage, view_of(shown), kGridColumns);
  }
  const Outputs outputs{diagnosis.logits, labels, std::ssize(images.class_names)};
  const Quality quality = measure_quality(outputs, images.role, basis);
  write_quality(folder / kQualityFile, quality);
  write_gates(folder / kGatesFile, diagnosis.gates);
  return quality;
}

}  // namespace frgan

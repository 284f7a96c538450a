#include "frgan/train/diagnostics.h"

#include "frgan/metrics/diagnostics.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/report/gates.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"
#include "frgan/report/mistakes.h"

namespace frgan {

Classification write_diagnostics(const std::filesystem::path& folder, const Discriminator& network,
                                 const DiagnosedPictures& pictures, Precision precision) {
  const Diagnosis found = diagnose(network, pictures.set, precision);
  const std::span<const int64_t> labels = values_of(pictures.set.labels);
  const Classification result = score_predictions(labels, found.predictions, network->shape().classes);
  Mistakes mistakes =
      find_mistakes(labels, found.predictions, found.probabilities, pictures.class_names, kShownMistakes);
  mistakes.role = pictures.role;
  mistakes.data_digest = pictures.data_digest;
  mistakes.split_digest = pictures.split_digest;
  write_mistakes(folder / "mistakes.json", mistakes);
  if (mistakes.shown.empty()) {
    std::filesystem::remove(folder / "mistakes.png");
  } else {
    write_pixel_grid(folder / "mistakes.png", pictures.set.rows(mistakes.shown).pictures.cpu(), kGridColumns);
  }
  write_gates(folder / "gates.json", found.gates);
  return result;
}

}  // namespace frgan

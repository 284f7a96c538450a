// Files that a run writes at its end: mistakes.json, mistakes.png, quality.json and gates.json (report/mistakes.h,
// metrics/quality.h, report/gates.h). With them, a report needs neither the data nor a checkpoint.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/core/evaluated_images.h"
#include "frgan/data/dataset.h"
#include "frgan/metrics/classification.h"
#include "frgan/metrics/diagnostics.h"
#include "frgan/metrics/quality.h"

namespace frgan {

// Images with known labels, and their origin.
struct DiagnosedImages {
  const ImageSet& set;
  EvaluatedImages role;
  const std::vector<std::string>& class_names;
  std::string data_digest, split_digest;
};

// Maximum number of mistakes in mistakes.png; it shows the most confident ones.
constexpr size_t kShownMistakes = 50;

// Writes the four files into `folder` and returns the content of quality.json. `diagnosis` is of these images, with the
// temperature of `basis`. Without mistakes, there is no mistakes.png; an existing one is removed.
//
//   write_diagnostics(run, diagnose(network, images.set, Precision::kFull), images, basis);
Quality write_diagnostics(const std::filesystem::path& folder, const Diagnosis& diagnosis,
                          const DiagnosedImages& images, const QualityBasis& basis);

}  // namespace frgan

// What a run writes at its end, so that a report needs neither data nor checkpoint: mistakes.json, mistakes.png and
// gates.json (report/mistakes.h, report/gates.h).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/data/dataset.h"
#include "frgan/metrics/classification.h"
#include "frgan/nn/discriminator.h"

namespace frgan {

// Images with known labels, and what they are of a run.
struct DiagnosedImages {
  const ImageSet& set;
  std::string role;  // "test" or "dev"
  const std::vector<std::string>& class_names;
  std::string data_digest, split_digest;
};

// The most confident mistakes, as many as this at most, are the cells of mistakes.png.
constexpr size_t kShownMistakes = 50;

// Classifies the images, writes the three files into the folder, and returns what `evaluate` would. Where there is no
// mistake there is no mistakes.png.
Classification write_diagnostics(const std::filesystem::path& folder, const Discriminator& network,
                                 const DiagnosedImages& images, Precision precision);

}  // namespace frgan

// The model card of an exported model: README.md.
#pragma once

#include <optional>
#include <string>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/json.h"
#include "frgan/metrics/quality.h"

namespace frgan {

struct ModelCardFacts {
  const CheckpointState& state;
  Json summary = {};                    // summary.json of the run, if it is about this checkpoint; otherwise null
  std::optional<Quality> quality = {};  // its quality.json, likewise
  std::string network = "";
  int64_t weights = 0;
};

// Markdown with the metadata of the Hugging Face Hub. It states what is known: error with its interval, baselines,
// labels, data, calibration, license and source of the encoder, limits; and shows how to use the model.
std::string model_card(const ModelCardFacts& facts);

}  // namespace frgan

// The options of a run that uses published weights (--encoder).
#pragma once

#include <string>

#include "frgan/classifier/encoder.h"
#include "frgan/core/json.h"
#include "frgan/train/run_request.h"

namespace frgan {

// Reads --encoder and sets the options that its weights need: those of the network, the normalization, and the size of
// the images of a folder. Throws a usage error if one of them was set to another value, or if the file has another
// digest than --encoder-sha256.
Encoder use_encoder(RunRequest& request);

// What a run records about the origin of its weights: {"file", "sha256", "architecture", "license", "source"}.
Json provenance_of(const Encoder& encoder);
// The same for people: "resnet50.a1_in1k (license: apache-2.0, source: timm/resnet50.a1_in1k)".
std::string provenance_text(const Json& provenance);

}  // namespace frgan

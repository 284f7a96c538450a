// What the commands share that use a trained network: evaluate, predict, generate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/options.h"

namespace frgan {

// Where and how the network is run.
struct InferenceOptions {
  std::string device = "auto";
  std::string precision = "auto";
  int64_t threads = 0;
};
void describe(OptionSet& options, InferenceOptions& inference);

struct Inference {
  at::Device device;
  Precision precision;
  std::string precision_name;  // "fp32" or "bf16"
};
// Sets the threads. "auto" is the precision of the run, so that its numbers are met again; where this machine only
// emulates bf16 it is fp32, with a warning.
Inference begin_inference(const InferenceOptions& options, const CheckpointState& state);

// load_checkpoint, with its warnings on stderr.
Checkpoint load_checkpoint_aloud(const std::filesystem::path& path);

// A field of a CSV line (RFC 4180): in quotes where it holds a comma, a quote or a line break.
std::string csv_field(std::string_view text);

}  // namespace frgan

// What the commands share that use a trained network: evaluate, predict, generate, score.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/options.h"
#include "frgan/data/load_dataset.h"

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
// The same where no run says a precision: "auto" is this one.
Inference begin_inference(const InferenceOptions& options, const std::string& auto_precision);

// load_checkpoint, with its warnings on stderr.
Checkpoint load_checkpoint_aloud(const std::filesystem::path& path);

// Whether there is a run or a checkpoint.
bool is_checkpoint(const std::filesystem::path& path);

// The run's own data, or, where they are not empty, what the options `data` and `data-dir` say instead; a folder of
// images is resized to what the network takes.
DataOptions data_options(const std::string& data, const std::string& data_dir, const CheckpointState& state);

}  // namespace frgan

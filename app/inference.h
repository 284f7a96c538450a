// What evaluate, predict, generate, score and report share: device, precision and threads of a trained network.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/options.h"
#include "frgan/data/load_dataset.h"

namespace frgan {

struct InferenceOptions {
  std::string device = "auto";
  std::string precision = "auto";
  int64_t threads = 0;
  bool quiet = false;
};
void describe(OptionSet& options, InferenceOptions& inference);

struct Inference {
  at::Device device;
  Precision precision;
  std::string precision_name;  // "fp32" or "bf16"
};
// Sets the number of threads. "auto" selects the precision of the run, so that its results are reproduced. If this
// machine only emulates bf16, "auto" selects fp32 and prints a warning.
Inference begin_inference(const InferenceOptions& options, const CheckpointState& state);
// The same for a network without a run: "auto" selects `auto_precision`.
Inference begin_inference(const InferenceOptions& options, const std::string& auto_precision);

// load_checkpoint, which prints its warnings to stderr.
Checkpoint load_checkpoint_with_warnings(const std::filesystem::path& path);

// Whether the path is a run folder or a checkpoint.
bool is_checkpoint(const std::filesystem::path& path);

// The data of the run, unless `data` or `data_dir` name other data. Images of a folder are resized to the network's
// input size.
DataOptions data_options(const std::string& data, const std::string& data_dir, const CheckpointState& state);

}  // namespace frgan

// Checkpoints of a run. A checkpoint holds everything needed to resume training with bit-identical results on a CPU,
// and everything needed to classify images without the run.
//
//   model.safetensors      last weights and batch-norm statistics of all networks: "discriminator.conv1.direction", ...
//   optimizer.safetensors  Adam's moments: "discriminator.conv1.direction.mean", "discriminator.conv1.direction.square"
//   average.safetensors    averaged weights of the classifier: "conv1.direction", ...
//   state.json             CheckpointState
//   MANIFEST.json          see io/checkpoint_files.h
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/methods/method.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {

struct CheckpointState {
  int64_t step = 0;
  int64_t planned_steps = 0;
  double seconds = 0;  // training time so far
  int64_t recipe = 0;  // version of the training code, train/recipe.h
  std::string method;  // "fr-gan"
  Json options;        // all resolved options of the run, including those of the method
  ImageShape shape;
  std::vector<std::string> class_names;
  std::string precision;  // "fp32" or "bf16"; never "auto"
  std::string device;     // type of the device that trained it: "cpu" or "cuda"; empty if unknown
  std::string libtorch;   // version of LibTorch that trained it: "1.13.1"; empty if unknown
  std::string data_digest;
  std::string split_digest;
  Json label_split;  // from label_split_json
  std::string frgan_version;
};
Json to_json(const CheckpointState& state);
// Throws an Error that starts with `name`, the file, and names the missing or invalid key.
CheckpointState checkpoint_state_from_json(const Json& json, const std::string& name);

// Writes a complete checkpoint (io/checkpoint_files.h). Tensors may be on any device and have any strides.
void save_checkpoint(const std::filesystem::path& directory, const CheckpointState& state, const TensorFiles& files);

struct Checkpoint {
  std::filesystem::path path;
  CheckpointState state;
  TensorFiles files;                  // on the CPU
  std::vector<std::string> warnings;  // newer checkpoints that were skipped, each with the reason
};

// `path` is the folder of a checkpoint or of a run. For a run, it loads the newest intact checkpoint. Throws an Error
// if there is none, or if the given checkpoint is corrupt.
Checkpoint load_checkpoint(const std::filesystem::path& path);

// The method of a checkpoint, built with the checkpoint's options. Its networks hold the last weights.
struct LoadedMethod {
  std::unique_ptr<Method> method;
  Discriminator classifier{nullptr};  // holds the averaged weights
  Problem problem;
};
// Throws an Error if an option is missing, or if the weights do not match the architecture that the options define.
LoadedMethod load_method(const Checkpoint& checkpoint, at::Device device, Precision precision);

}  // namespace frgan

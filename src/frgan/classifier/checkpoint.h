// What a checkpoint of a run holds: everything that training needs to go on with the same bits, and everything that a
// classifier needs to be used without the run.
//
//   model.safetensors      last weights and statistics of every network, "discriminator.conv1.direction", ...
//   optimizer.safetensors  Adam's moments of each, "discriminator.conv1.direction.mean" and ".square"
//   average.safetensors    the averaged network that classifies, "conv1.direction", ...
//   state.json             CheckpointState
//   MANIFEST.json          see io/checkpoint_files.h
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/methods/method.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {

struct CheckpointState {
  int64_t step = 0;
  int64_t planned_steps = 0;
  double seconds = 0;              // of training so far
  int64_t recipe = 0;              // train/recipe.h
  std::string method;              // "fr-gan"
  nlohmann::ordered_json options;  // all resolved options of the run, the method's among them
  ImageShape shape;
  std::vector<std::string> class_names;
  std::string precision;  // "fp32" or "bf16", as resolved
  std::string data_digest;
  std::string split_digest;
  nlohmann::ordered_json label_split;  // label_split_json
  std::string frgan_version;
};
nlohmann::ordered_json to_json(const CheckpointState& state);
// Throws an Error that names the file and the missing or wrong key.
CheckpointState checkpoint_state_from_json(const nlohmann::json& json, const std::string& name);

// Writes a whole checkpoint (io/checkpoint_files.h). Tensors may lie on any device and have any strides.
void save_checkpoint(const std::filesystem::path& directory, const CheckpointState& state, const TensorFiles& files);

struct Checkpoint {
  std::filesystem::path path;
  CheckpointState state;
  TensorFiles files;                  // on the CPU
  std::vector<std::string> warnings;  // newer checkpoints that were refused, and why
};

// `path` is a checkpoint's folder, or a run's: then its newest whole checkpoint is taken. Throws an Error where there
// is none, or where it is altered.
Checkpoint load_checkpoint(const std::filesystem::path& path);

// The run's method with the checkpoint's options, built, and with the last weights in its networks.
struct LoadedMethod {
  std::unique_ptr<Method> method;
  Discriminator classifier{nullptr};  // with the averaged weights
  Problem problem;
};
// Throws an Error where the weights do not fit the network that the options describe.
LoadedMethod load_method(const Checkpoint& checkpoint, at::Device device, Precision precision);

}  // namespace frgan

// Checkpoints of a run. A checkpoint holds everything needed to resume training with bit-identical results on a CPU,
// and everything needed to classify images without the run.
//
//   model.safetensors      last weights and batch-norm statistics of all networks: "discriminator.conv1.direction", ...
//   optimizer.safetensors  Adam's moments: "discriminator.conv1.direction.mean", "discriminator.conv1.direction.square"
//   average.safetensors    averaged weights of the classifier: "conv1.direction", ...
//   state.json             CheckpointState, checkpoint_state.h
//   MANIFEST.json          see io/checkpoint_files.h
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/messages.h"
#include "frgan/methods/method.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {

// Writes a complete checkpoint (io/checkpoint_files.h). Tensors may be on any device and have any strides.
void save_checkpoint(const std::filesystem::path& directory, const CheckpointState& state, const TensorFiles& files);

struct Checkpoint {
  std::filesystem::path path;
  CheckpointState state;
  TensorFiles files;                  // on the CPU
  std::vector<std::string> warnings;  // newer checkpoints that were skipped: the reason, and which one is used instead
};

// `path` is the folder of a checkpoint or of a run. For a run, it loads the newest intact checkpoint. Throws an Error
// if there is none, or if the given checkpoint is corrupt.
Checkpoint load_checkpoint(const std::filesystem::path& path);
// The same for commands that use a trained network. If the newest checkpoint of a run is corrupt, throws an Error, or
// if `allow_older`, passes the warnings on.
Checkpoint load_checkpoint(const std::filesystem::path& path, bool allow_older, const Messages& messages);

// The method of a checkpoint, built with the checkpoint's options. Its networks hold the last weights.
struct LoadedMethod {
  std::unique_ptr<Method> method;
  Discriminator classifier{nullptr};  // holds the averaged weights
  Problem problem;
};
// Throws an Error if an option is missing, or if the weights do not match the architecture that the options define.
LoadedMethod load_method(const Checkpoint& checkpoint, at::Device device, Precision precision);

}  // namespace frgan

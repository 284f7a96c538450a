// Checkpoints of a run. A checkpoint holds everything needed to resume training with bit-identical results on a CPU,
// and everything needed to classify images without the run.
//
//   model.safetensors      last weights and batch-norm statistics of all networks: "discriminator.conv1.direction", ...
//   optimizer.safetensors  state of the optimizers: "discriminator.conv1.direction.mean", ...
//   average.safetensors    averaged weights of the classifier: "conv1.direction", ...
//   NAME.safetensors       of other followers, such as teachers; "method": tensors of the method; "outliers"
//   baseline.safetensors, class_means.safetensors    after the last step: PixelClassifier; class_means of
//                          metrics/unknown_classes.h
//   state.json             CheckpointState, checkpoint_state.h
//   MANIFEST.json          see io/checkpoint_files.h
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/messages.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {

// Writes a complete checkpoint (io/checkpoint_files.h). Tensors may be on any device and have any strides.
void save_checkpoint(const std::filesystem::path& directory, const CheckpointState& state, const TensorFiles& files);

// What a checkpoint is loaded for. This decides which of its files must be present and intact, besides state.json and
// the manifest. Only these files are read.
enum class CheckpointUse {
  kClassify,   // average
  kGenerate,   // model
  kBeginFrom,  // model, average
  kResume,     // all
};

struct Checkpoint {
  std::filesystem::path path;
  CheckpointState state;
  TensorFiles files = {};  // on the CPU: those of the use
  // Newer checkpoints that were skipped: the reason, and which one is used instead.
  std::vector<std::string> warnings = {};
};

// `path` is the folder of a checkpoint or of a run. For a run, it loads the newest checkpoint that is intact as far as
// the use needs it. Throws an Error if there is none, or if the given checkpoint is corrupt. All uses but kResume also
// need a trained classifier: they throw an Error if the run did not reach the stage that trains it.
Checkpoint load_checkpoint(const std::filesystem::path& path, CheckpointUse use);
// The same for commands that use a trained network. If the newest checkpoint of a run is corrupt, throws an Error, or
// if `allow_older`, passes the warnings on.
Checkpoint load_checkpoint(const std::filesystem::path& path, CheckpointUse use, bool allow_older,
                           const Messages& messages);

// The tensors of a file that only some checkpoints have; empty if this one lacks it. Throws an Error if it is corrupt.
NamedTensors read_optional_tensors(const Checkpoint& checkpoint, const std::string& file);

// The method that trained the checkpoint. Throws an Error if this version does not have it.
const MethodInfo& method_of(const Checkpoint& checkpoint);

// A classifier of the architecture that the options define, with initial weights. An option that the checkpoint lacks
// has its default. Throws an Error if the method is unknown.
NetworkPtr new_classifier(const Checkpoint& checkpoint, at::Device device, Precision precision);

// The classifier with the averaged weights. Needs kClassify. Throws like new_classifier, and if the weights do not
// match the architecture.
NetworkPtr load_classifier(const Checkpoint& checkpoint, at::Device device, Precision precision);

// The method of a checkpoint, built with the checkpoint's options.
struct LoadedMethod {
  std::unique_ptr<Method> method;  // its networks hold the last weights
  Problem problem;
  std::optional<Sampler> sampler = {};  // of the method
};
// The same for all networks of the method. Needs kGenerate.
LoadedMethod load_method(const Checkpoint& checkpoint, at::Device device, Precision precision);

}  // namespace frgan

#include "frgan/classifier/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/core/version.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"
#include "frgan/io/safetensors.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

const std::map<at::ScalarType, DType>& dtypes() {
  static const std::map<at::ScalarType, DType> table{
      {at::kDouble, DType::kF64}, {at::kFloat, DType::kF32}, {at::kBFloat16, DType::kBF16}, {at::kHalf, DType::kF16},
      {at::kLong, DType::kI64},   {at::kInt, DType::kI32},   {at::kByte, DType::kU8},       {at::kBool, DType::kBool}};
  return table;
}

void write_tensors(const fs::path& path, const NamedTensors& tensors) {
  std::vector<at::Tensor> kept;  // row-major copies that own the memory of the views
  TensorViews views;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.to(at::kCPU).contiguous());
    const at::Tensor& whole = kept.back();
    views[name] = {dtypes().at(whole.scalar_type()), whole.sizes().vec(),
                   std::span(static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes())};
  }
  write_safetensors(path, views, {{"format", "pt"}});
}

NamedTensors read_tensors(const fs::path& path) {
  const SafetensorsFile file = read_safetensors(path);
  NamedTensors tensors;
  for (const auto& [name, view] : file.tensors()) {
    const auto dtype = std::find_if(dtypes().begin(), dtypes().end(),
                                    [&view = view](const auto& pair) { return pair.second == view.dtype; });
    const at::Tensor tensor = at::empty(view.shape, at::TensorOptions().dtype(dtype->first));
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    tensors[name] = tensor;
  }
  return tensors;
}

// The folder of a checkpoint, and why newer checkpoints of its run were skipped.
struct FoundCheckpoint {
  fs::path path;
  std::vector<std::string> refused = {};
};

// `path` as for load_checkpoint.
FoundCheckpoint find_checkpoint(const fs::path& path) {
  if (fs::exists(path / kCheckpointStateFile)) {
    verify_checkpoint(path);
    return {path};
  }
  if (!fs::exists(path)) throw Error(fmt::format("{}: no such folder; expected a run or a checkpoint", path.string()));
  CheckpointSearch search = newest_whole_checkpoint(path / kCheckpointsFolder);
  if (!search.newest) {
    throw Error(
        search.refused.empty()
            ? fmt::format("{}: no checkpoint found; pass a run folder or one of its checkpoints/step-... folders; "
                          "start a run again if it stopped before its first checkpoint",
                          path.string())
            : fmt::format(
                  "{}: the run has no intact checkpoint; restore the folder from a backup, or start the run again: {}",
                  path.string(), fmt::join(search.refused, "; ")));
  }
  return {*search.newest, std::move(search.refused)};
}

Checkpoint read_checkpoint(const FoundCheckpoint& found) {
  Checkpoint checkpoint;
  checkpoint.path = found.path;
  for (const std::string& reason : found.refused) {
    checkpoint.warnings.push_back(fmt::format("{}; using {} instead", reason, found.path.filename().string()));
  }
  const std::string name = (checkpoint.path / kCheckpointStateFile).string();
  const Json json = read_json_object(name);
  checkpoint.state = checkpoint_state_from_json(json, name);
  for (const std::string file : {"model", "average", "optimizer", "outliers"}) {
    const fs::path tensors = checkpoint.path / (file + ".safetensors");
    if (!fs::exists(tensors)) {
      if (file == "optimizer" || file == "outliers") continue;  // needed to resume training only
      throw Error(fmt::format("{}: the file is missing and not listed in the manifest; use another checkpoint",
                              tensors.string()));
    }
    checkpoint.files[file] = read_tensors(tensors);
  }
  return checkpoint;
}

}  // namespace

void save_checkpoint(const fs::path& directory, const CheckpointState& state, const TensorFiles& files) {
  std::vector<CheckpointPart> parts;
  for (const auto& [name, tensors] : files) {
    parts.push_back(
        {name + ".safetensors", [&tensors = tensors](const fs::path& path) { write_tensors(path, tensors); }});
  }
  parts.push_back({std::string(kCheckpointStateFile),
                   [&](const fs::path& path) { write_file_safely(path, to_json(state).dump(1) + "\n"); }});
  write_checkpoint(directory, parts);
}

Checkpoint load_checkpoint(const fs::path& path) {
  return read_checkpoint(find_checkpoint(path));
}

Checkpoint load_checkpoint(const fs::path& path, bool allow_older, const Messages& messages) {
  const FoundCheckpoint found = find_checkpoint(path);
  if (!found.refused.empty() && !allow_older) {
    throw Error(
        fmt::format("{}; to use the older {}, give its folder, or pass --allow-older if the command has this option",
                    found.refused.front(), found.path.string()));
  }
  Checkpoint checkpoint = read_checkpoint(found);
  for (const std::string& warning : checkpoint.warnings) messages.warning(warning);
  return checkpoint;
}

LoadedMethod load_method(const Checkpoint& checkpoint, at::Device device, Precision precision) try {
  const CheckpointState& state = checkpoint.state;
  const std::string name = checkpoint.path.string();
  LoadedMethod loaded;
  loaded.method = create_method(state.method);
  OptionSet options;
  loaded.method->describe(options);
  for (Option& option : options.all()) {
    const Json* const saved = state.options.find(option.name);
    if (saved == nullptr) {
      throw Error(fmt::format("{}/state.json: option '{}' is missing; frgan {} wrote this checkpoint, this is frgan {}",
                              name, option.name, state.frgan_version, version()));
    }
    option.set(*saved, name);
  }
  loaded.problem = {.shape = state.shape, .precision = precision, .device = device};
  loaded.method->build(loaded.problem);
  NamedTensors model;
  for (const Player& player : loaded.method->players()) model.merge(named_tensors(*player.network, player.name + "."));
  copy_named(model, checkpoint.files.at("model"), name + "/model.safetensors");
  loaded.classifier = loaded.method->make_classifier();
  copy_named(named_tensors(*loaded.classifier), checkpoint.files.at("average"), name + "/average.safetensors");
  return loaded;
} catch (const Error& error) {
  throw Error(error.what());  // not a usage error: the user did not type the invalid option
}

}  // namespace frgan

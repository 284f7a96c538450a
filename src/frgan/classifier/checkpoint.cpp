#include "frgan/classifier/checkpoint.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/core/version.h"
#include "frgan/data/dataset.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"
#include "frgan/io/safetensors.h"
#include "frgan/methods/methods.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormat = "frgan checkpoint 1";
constexpr std::string_view kNormalisation = "x / 127.5 - 1";  // of a pixel byte x; the only supported one

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

}  // namespace

Json to_json(const CheckpointState& state) {
  return {{"format", kFormat},
          {"frgan_version", state.frgan_version},
          {"step", state.step},
          {"planned_steps", state.planned_steps},
          {"seconds", state.seconds},
          {"recipe", state.recipe},
          {"method", state.method},
          {"image_size", state.shape.image_size},
          {"channels", state.shape.channels},
          {"class_names", state.class_names},
          {"normalisation", kNormalisation},
          {"precision", state.precision},
          {"device", state.device},
          {"libtorch", state.libtorch},
          {"data_digest", state.data_digest},
          {"split_digest", state.split_digest},
          {"options", state.options},
          {"label_split", state.label_split}};
}

CheckpointState checkpoint_state_from_json(const Json& json, const std::string& name) {
  try {
    if (json.at("format") != kFormat) {
      throw Error(fmt::format("{}: unsupported checkpoint format {}; this version reads \"{}\"", name,
                              json.at("format").dump(), kFormat));
    }
    if (json.at("normalisation") != kNormalisation) {
      throw Error(fmt::format("{}: unsupported normalisation {}; this version supports \"{}\"", name,
                              json.at("normalisation").dump(), kNormalisation));
    }
    CheckpointState state;
    json.at("frgan_version").get_to(state.frgan_version);
    json.at("step").get_to(state.step);
    json.at("planned_steps").get_to(state.planned_steps);
    json.at("seconds").get_to(state.seconds);
    state.recipe = json.value("recipe", int64_t{1});  // early checkpoints of recipe 1 lack this key
    json.at("method").get_to(state.method);
    json.at("image_size").get_to(state.shape.image_size);
    json.at("channels").get_to(state.shape.channels);
    json.at("class_names").get_to(state.class_names);
    state.shape.classes = static_cast<int64_t>(state.class_names.size());
    check_image_shape(state.shape.image_size, state.shape.channels, name);
    json.at("precision").get_to(state.precision);
    if (state.precision != "fp32" && state.precision != "bf16") {
      throw Error(fmt::format("{}: invalid precision '{}': must be fp32 or bf16", name, state.precision));
    }
    state.device = json.value("device", "");  // early checkpoints lack this key and the next
    state.libtorch = json.value("libtorch", "");
    json.at("data_digest").get_to(state.data_digest);
    json.at("split_digest").get_to(state.split_digest);
    state.options = json.at("options");
    state.label_split = json.at("label_split");
    return state;
  } catch (const JsonError& error) {
    throw Error(fmt::format("{}: not a valid checkpoint state of frgan ({})", name, error.what()));
  }
}

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
  Checkpoint checkpoint;
  checkpoint.path = path;
  if (fs::exists(path / kCheckpointStateFile)) {
    verify_checkpoint(path);
  } else {
    const CheckpointSearch search = newest_whole_checkpoint(path / kCheckpointsFolder);
    checkpoint.warnings = search.refused;
    if (!search.newest) {
      throw Error(
          search.refused.empty()
              ? fmt::format("{}: no checkpoint found; pass a run folder or one of its checkpoints/step-... folders; "
                            "start a run again if it stopped before its first checkpoint",
                            path.string())
              : fmt::format("{}: the run has no intact checkpoint: {}", path.string(),
                            fmt::join(search.refused, "; ")));
    }
    checkpoint.path = *search.newest;
  }
  const std::string name = (checkpoint.path / kCheckpointStateFile).string();
  const Json json = read_json_object(name);
  checkpoint.state = checkpoint_state_from_json(json, name);
  for (const std::string file : {"model", "average", "optimizer"}) {
    const fs::path tensors = checkpoint.path / (file + ".safetensors");
    if (!fs::exists(tensors)) {
      if (file == "optimizer") continue;  // needed to resume training only
      throw Error(fmt::format("{}: the file is missing and not listed in the manifest; use another checkpoint",
                              tensors.string()));
    }
    checkpoint.files[file] = read_tensors(tensors);
  }
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

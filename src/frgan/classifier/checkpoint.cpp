#include "frgan/classifier/checkpoint.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/tensors_file.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/core/version.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// The files of tensors that a use requires; all of the manifest for kResume.
std::vector<std::string> tensor_files(CheckpointUse use) {
  switch (use) {
    case CheckpointUse::kClassify:
      return {"average"};
    case CheckpointUse::kGenerate:
      return {"model"};
    case CheckpointUse::kBeginFrom:
      return {"model", "average"};
    case CheckpointUse::kResume:
      break;
  }
  return {"model", "average", "optimizer"};
}

fs::path tensors_path(const fs::path& checkpoint, const std::string& file) {
  return checkpoint / (file + ".safetensors");
}

// What `use` requires to be intact; empty: all files.
std::vector<std::string> required_files(CheckpointUse use) {
  if (use == CheckpointUse::kResume) return {};
  std::vector<std::string> names{std::string(kCheckpointStateFile)};
  for (const std::string& file : tensor_files(use)) names.push_back(tensors_path({}, file).string());
  return names;
}

// The folder of a checkpoint, and why newer checkpoints of its run were skipped.
struct FoundCheckpoint {
  fs::path path;
  std::vector<std::string> refused = {};
};

// `path` as for load_checkpoint.
FoundCheckpoint find_checkpoint(const fs::path& path, CheckpointUse use) {
  if (fs::exists(path / kCheckpointStateFile)) {
    verify_checkpoint(path, required_files(use));
    return {path};
  }
  if (!fs::exists(path)) throw Error(fmt::format("{}: no such folder; expected a run or a checkpoint", path.string()));
  CheckpointSearch search = newest_whole_checkpoint(path / kCheckpointsFolder, required_files(use));
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

Checkpoint read_checkpoint(const FoundCheckpoint& found, CheckpointUse use) {
  Checkpoint checkpoint;
  checkpoint.path = found.path;
  for (const std::string& reason : found.refused) {
    checkpoint.warnings.push_back(fmt::format("{}; using {} instead", reason, found.path.filename().string()));
  }
  const std::string name = (checkpoint.path / kCheckpointStateFile).string();
  const Json json = read_json_object(name);
  checkpoint.state = checkpoint_state_from_json(json, name);
  if (use != CheckpointUse::kResume && !checkpoint.state.classifier_trained) {
    throw Error(fmt::format(
        "{}: the classifier is not trained yet: this is step {} of {}, before the stage that trains it; use a "
        "later checkpoint, or continue the run with frgan train --resume RUN",
        checkpoint.path.string(), checkpoint.state.step, checkpoint.state.planned_steps));
  }
  std::vector<std::string> files = tensor_files(use);
  if (use == CheckpointUse::kResume) {  // what only some runs have: outliers, method, teachers
    for (const fs::path listed : checkpoint_file_names(checkpoint.path)) {
      const std::string file = listed.stem().string();
      if (listed.extension() == ".safetensors" && std::ranges::find(files, file) == files.end()) files.push_back(file);
    }
  }
  for (const std::string& file : files) {
    const fs::path tensors = tensors_path(checkpoint.path, file);
    if (!fs::exists(tensors)) {
      throw Error(fmt::format("{}: the file is missing and not listed in the manifest; use another checkpoint",
                              tensors.string()));
    }
    checkpoint.files[file] = read_tensors(tensors);
  }
  return checkpoint;
}

// The method of the checkpoint with its options; not built.
std::unique_ptr<Method> described_method(const Checkpoint& checkpoint) {
  std::unique_ptr<Method> method = method_of(checkpoint).create();
  OptionSet options;
  method->describe(options);
  try {
    for (Option& option : options.all()) {
      const Json* const saved = checkpoint.state.options.find(option.name);
      if (saved != nullptr) option.set(*saved, checkpoint.path.string());
    }
  } catch (const Error& error) {
    throw Error(error.what());  // not a usage error: the user did not type the invalid option
  }
  return method;
}

Problem problem_of(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  return {.shape = checkpoint.state.shape, .precision = precision, .device = device};
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

Checkpoint load_checkpoint(const fs::path& path, CheckpointUse use) {
  return read_checkpoint(find_checkpoint(path, use), use);
}

Checkpoint load_checkpoint(const fs::path& path, CheckpointUse use, bool allow_older, const Messages& messages) {
  const FoundCheckpoint found = find_checkpoint(path, use);
  if (!found.refused.empty() && !allow_older) {
    throw Error(
        fmt::format("{}; to use the older {}, give its folder, or pass --allow-older if the command has this option",
                    found.refused.front(), found.path.string()));
  }
  Checkpoint checkpoint = read_checkpoint(found, use);
  for (const std::string& warning : checkpoint.warnings) messages.warning(warning);
  return checkpoint;
}

NamedTensors read_optional_tensors(const Checkpoint& checkpoint, const std::string& file) {
  const fs::path path = tensors_path(checkpoint.path, file);
  if (!fs::exists(path)) return {};
  verify_checkpoint(checkpoint.path, {path.filename().string()});
  return read_tensors(path);
}

const MethodInfo& method_of(const Checkpoint& checkpoint) {
  const CheckpointState& state = checkpoint.state;
  const MethodInfo* const info = find_method(state.method);
  if (info == nullptr) {
    throw Error(
        fmt::format("{}: trained with the method '{}' by frgan {}; this frgan ({}) has no such method; use the "
                    "frgan that trained it",
                    checkpoint.path.string(), state.method, state.frgan_version, version()));
  }
  return *info;
}

NetworkPtr new_classifier(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  return described_method(checkpoint)->make_classifier(problem_of(checkpoint, device, precision));
}

NetworkPtr load_classifier(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  const NetworkPtr classifier = new_classifier(checkpoint, device, precision);
  copy_named(named_tensors(*classifier), checkpoint.files.at("average"),
             tensors_path(checkpoint.path, "average").string());
  return classifier;
}

LoadedMethod load_method(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  LoadedMethod loaded{described_method(checkpoint), problem_of(checkpoint, device, precision)};
  loaded.method->build(loaded.problem);
  NamedTensors model;
  for (const Player& player : loaded.method->players()) model.merge(named_tensors(*player.network, player.name + "."));
  copy_named(model, checkpoint.files.at("model"), tensors_path(checkpoint.path, "model").string());
  loaded.sampler = loaded.method->sampler();
  return loaded;
}

}  // namespace frgan

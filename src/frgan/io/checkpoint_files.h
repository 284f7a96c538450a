// Checkpoints on disk: a folder of files with a manifest. A checkpoint is either complete or rejected. The caller
// decides which files it contains.
//
//   checkpoints/step-00012000/model.safetensors
//                             state.json
//                             MANIFEST.json    size and SHA-256 of each file, written last
//
// A checkpoint is written as "step-00012000.partial", synced and renamed. A crash or a full disk therefore leaves the
// older checkpoints intact. Only one process may write to a folder at a time; any number may read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

// One file of a checkpoint. `write` receives the path; the file must be complete when it returns.
//
//   write_checkpoint(run / "checkpoints" / checkpoint_name(step), {
//       {"model.safetensors", [&](const auto& path) { write_safetensors(path, weights, metadata); }},
//       {"state.json", [&](const auto& path) { write_file_safely(path, state.dump()); }}});
struct CheckpointPart {
  std::string name;  // a plain file name
  std::function<void(const std::filesystem::path& path)> write;
};

// Writes the parts and the manifest; replaces a checkpoint of the same name. Removes leftovers of interrupted writers
// first. Throws what `write` throws, or an Error; nothing of the new checkpoint remains then.
void write_checkpoint(const std::filesystem::path& directory, const std::vector<CheckpointPart>& parts);

// Checks the size and SHA-256 of the named files, or of all files of the manifest if no name is given. Throws an Error
// that names the first missing or corrupt file, or a name that the manifest lacks. Without a manifest, named files need
// only exist: somebody copied them without it.
void verify_checkpoint(const std::filesystem::path& directory, const std::vector<std::string>& names = {});

// The folder name of a step, "step-00012000", and the step of a folder. No value for other names, such as
// "step-00012000.partial".
std::string checkpoint_name(int64_t step);
std::optional<int64_t> checkpoint_step(const std::filesystem::path& directory);

struct CheckpointSearch {
  std::optional<std::filesystem::path> newest;  // the newest valid checkpoint, if any
  std::vector<std::string> refused;             // one message for each newer, corrupt checkpoint
};

// Searches a run's "checkpoints" folder, newest step first, for a checkpoint whose named files are valid (all, if no
// name is given). A missing folder is treated as empty.
CheckpointSearch newest_whole_checkpoint(const std::filesystem::path& folder,
                                         const std::vector<std::string>& names = {});

// Whether the folder contains any checkpoint, valid or corrupt.
bool has_checkpoints(const std::filesystem::path& folder);

// Removes the checkpoints of steps after `step`. A run resumed at `step` writes them again.
void remove_checkpoints_after(const std::filesystem::path& folder, int64_t step);

// Removes all but the last `keep` checkpoints (by step), and leftovers of interrupted writers.
void prune_checkpoints(const std::filesystem::path& folder, int64_t keep);

// The entry of one file in MANIFEST.json.
struct ManifestEntry {
  int64_t size = 0;    // bytes
  std::string sha256;  // 64 lower-case hexadecimal digits
};

// The names of the files in the manifest of a checkpoint. Throws an Error if it is missing or corrupt.
std::vector<std::string> checkpoint_file_names(const std::filesystem::path& directory);

// Parses an untrusted manifest into entries by file name; `name` is its name in messages. Throws an Error unless file
// names are plain, sizes are not negative, and digests have 64 hexadecimal digits.
std::map<std::string, ManifestEntry> parse_manifest(std::string_view text, std::string_view name);

}  // namespace frgan

// Checkpoints on disk: a folder of files with a manifest, whole or refused. Whoever writes decides what the files are.
//
//   checkpoints/step-00012000/model.safetensors
//                             state.json
//                             MANIFEST.json    size and SHA-256 of each file, written last
//
// A checkpoint is written as "step-00012000.partial", synced and renamed, so that a program that is killed at any
// moment, or meets a full disk, leaves the older ones as they were. One process writes to a folder at a time; any may
// read.
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

// One file of a checkpoint. `write` gets the path to write to; the file must be complete when it returns.
//
//   write_checkpoint(run / "checkpoints" / checkpoint_name(step), {
//       {"model.safetensors", [&](const auto& path) { write_safetensors(path, weights, metadata); }},
//       {"state.json", [&](const auto& path) { write_file_safely(path, state.dump()); }}});
struct CheckpointPart {
  std::string name;  // a plain file name
  std::function<void(const std::filesystem::path& path)> write;
};

// Writes the parts and the manifest; replaces a checkpoint of the same name. What a killed writer left beside it is
// removed first. Throws what `write` throws, or an Error; then nothing of the new checkpoint is left.
void write_checkpoint(const std::filesystem::path& directory, const std::vector<CheckpointPart>& parts);

// Throws an Error that names the file that is missing, cut short, or altered, or says that the manifest is.
void verify_checkpoint(const std::filesystem::path& directory);

// "step-00012000", and back: empty for other names (a "step-00012000.partial" too).
std::string checkpoint_name(int64_t step);
std::optional<int64_t> checkpoint_step(const std::filesystem::path& directory);

struct CheckpointSearch {
  std::optional<std::filesystem::path> newest;  // the newest that verifies; none when there is none
  std::vector<std::string> refused;             // why each newer one was not taken: one line for people each
};

// Looks through a run's "checkpoints" folder, newest step first. A folder that does not exist holds none.
CheckpointSearch newest_whole_checkpoint(const std::filesystem::path& folder);

// Whether the folder has any checkpoint, whole or not.
bool has_checkpoints(const std::filesystem::path& folder);

// Removes checkpoints of later steps: where a run goes on from an older one, they were refused, or will come again.
void remove_checkpoints_after(const std::filesystem::path& folder, int64_t step);

// Removes all but the last `keep` checkpoints (by step), and what a killed writer left.
void prune_checkpoints(const std::filesystem::path& folder, int64_t keep);

// What a MANIFEST.json says of one file.
struct ManifestEntry {
  int64_t size = 0;
  std::string sha256;
};

// Checks a manifest that anybody may have made: names are plain, sizes not negative, checksums 64 hexadecimal digits.
std::map<std::string, ManifestEntry> parse_manifest(std::string_view text, std::string_view name);

}  // namespace frgan

// The files of an exported model that frgan itself reads (docs/export.md): config.json and model.safetensors. This
// header includes no LibTorch.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/json.h"

namespace frgan {

inline constexpr std::string_view kExportConfigFile = "config.json";
inline constexpr std::string_view kExportWeightsFile = "model.safetensors";

// The config.json: the classes, the size and preparation of images, and how to build the network again. It contains no
// paths of the training machine.
Json export_config(const CheckpointState& state);

// The method, its options, shape, class names, resize rule and calibration from a config.json. Throws an Error that
// names the file and the key if a value is missing or invalid.
CheckpointState read_export_config(const std::filesystem::path& path);

// Whether the path is a folder with an exported model.
bool is_exported_model(const std::filesystem::path& folder);

}  // namespace frgan

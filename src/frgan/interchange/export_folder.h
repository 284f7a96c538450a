// The folder of an exported model.
#pragma once

#include <filesystem>
#include <string_view>

namespace frgan {

inline constexpr std::string_view kOnnxFile = "model.onnx";
inline constexpr std::string_view kModelCardFile = "README.md";

// The path without a slash at its end. Throws an Error if it is a file or a folder that is not empty; with `overwrite`,
// if the folder has files that an export does not write.
std::filesystem::path checked_export_folder(const std::filesystem::path& folder, bool overwrite);

}  // namespace frgan

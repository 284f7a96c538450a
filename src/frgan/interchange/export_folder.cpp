#include "frgan/interchange/export_folder.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "frgan/classifier/exported_model.h"
#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {

namespace fs = std::filesystem;

fs::path checked_export_folder(const fs::path& folder, bool overwrite) try {
  fs::path path = folder.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (!fs::exists(fs::symlink_status(path))) return path;
  if (fs::is_symlink(path) || !fs::is_directory(path)) {
    throw Error(fmt::format("{}: not a folder; give a new or empty folder for the exported model", path.string()));
  }
  constexpr std::array kFiles{kOnnxFile, kModelCardFile, kExportConfigFile, kExportWeightsFile};
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    const bool is_ours = std::ranges::find(kFiles, name) != kFiles.end() && entry.is_regular_file();
    if (is_ours && overwrite) continue;
    throw Error(fmt::format("{}: not empty: holds {}; give a new or empty folder{}", path.string(), name,
                            is_ours ? ", or --overwrite to replace an earlier export" : ""));
  }
  return path;
} catch (const fs::filesystem_error& error) {
  throw file_error(folder, "read the folder", error.code().value());
}

}  // namespace frgan

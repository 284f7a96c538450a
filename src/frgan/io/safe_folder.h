// Writing folders atomically: a folder appears complete or not at all.
#pragma once

#include <filesystem>
#include <functional>

namespace frgan {

// Calls `fill` to write the files of a folder to `partial`, a new folder beside it; then syncs `partial` and renames it
// to `directory`. An existing folder of that name is replaced. If anything fails, `partial` is removed and `directory`
// stays as it was. An existing `partial` is removed first. Throws an Error, also those of `fill`.
void write_folder_safely(const std::filesystem::path& directory, const std::filesystem::path& partial,
                         const std::function<void(const std::filesystem::path& partial)>& fill);

}  // namespace frgan

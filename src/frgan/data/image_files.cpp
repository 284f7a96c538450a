#include "frgan/data/image_files.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/image_file.h"

namespace frgan {

namespace fs = std::filesystem;

std::string unknown_classes_text(const std::vector<UnknownClass>& classes) {
  int64_t images = 0;
  std::vector<std::string> names;
  for (const UnknownClass& other : classes) {
    images += other.images;
    names.push_back(fmt::format("{} ({})", other.name, other.images));
  }
  return fmt::format("{} of {} {}: {}", counted(images, "image"), classes.size(),
                     classes.size() == 1 ? "class" : "classes", fmt::join(names, ", "));
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::vector<fs::path> entries_of(const fs::path& folder) try {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with(".")) entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
} catch (const fs::filesystem_error& error) {
  throw Error(fmt::format("{}: cannot list the folder: {}", folder.string(), error.code().message()));
}

void find_images(const fs::path& folder, int64_t label, ImageFiles& found) {
  for (const fs::path& entry : entries_of(folder)) {
    if (is_folder(entry) && !fs::is_symlink(entry)) {
      find_images(entry, label, found);
    } else if (is_image_name(entry)) {
      found.images.push_back(entry);
      found.labels.push_back(label);
    } else {
      found.other_files.push_back(entry.string());
    }
  }
}

std::vector<fs::path> class_folders(const fs::path& folder, ImageFiles& found) {
  std::vector<fs::path> folders;
  for (const fs::path& entry : entries_of(folder)) {
    if (is_folder(entry)) {
      folders.push_back(entry);
    } else if (is_image_name(entry)) {
      throw Error(fmt::format("{}: image outside the class folders; expected {}/CLASS/{}", entry.string(),
                              folder.string(), entry.filename().string()));
    } else {
      found.other_files.push_back(entry.string());
    }
  }
  return folders;
}

std::vector<UnknownClass> find_images_of_classes(const fs::path& folder, const std::vector<std::string>& class_names,
                                                 ImageFiles& found) {
  std::vector<UnknownClass> unknown;
  for (const fs::path& class_folder : class_folders(folder, found)) {
    const std::string name = class_folder.filename().string();
    const auto known = std::find(class_names.begin(), class_names.end(), name);
    if (known != class_names.end()) {
      find_images(class_folder, known - class_names.begin(), found);
      continue;
    }
    ImageFiles others;
    find_images(class_folder, /*label=*/-1, others);
    unknown.push_back({name, static_cast<int64_t>(others.images.size())});
  }
  return unknown;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMostNamed = 10;
  const size_t count = std::min(names.size(), kMostNamed);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(count), "; "));
  if (names.size() > count) text += fmt::format("; and {} more", names.size() - count);
  return text;
}

}  // namespace frgan

// Finding the images in a folder by their names. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace frgan {

// An image file that cannot be decoded.
struct UnreadableImage {
  std::string file;    // relative to the folder that was read
  int64_t label = -1;  // by its class folder
  std::string error;
};

// A class folder whose name is not a class of the training images or of the network.
struct UnknownClass {
  std::string name;
  int64_t images = 0;
};
// "3 images of 2 classes: wasp (2), fly (1)"
std::string unknown_classes_text(const std::vector<UnknownClass>& classes);

// Images with their labels, in order of their paths, and the names of other files.
struct ImageFiles {
  std::vector<std::filesystem::path> images;
  std::vector<int64_t> labels;
  std::vector<std::string> other_files;
};

// False also for paths that cannot be accessed.
bool is_folder(const std::filesystem::path& path);

// The entries of a folder, sorted. Names that begin with a dot are omitted. Throws an Error if it cannot be listed.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

// Adds the files in a folder and its subfolders. Links to folders are not followed.
void find_images(const std::filesystem::path& folder, int64_t label, ImageFiles& found);

// The class folders in `folder`. Throws an Error if an image lies next to them.
std::vector<std::filesystem::path> class_folders(const std::filesystem::path& folder, ImageFiles& found);

// Adds the images in the class folders of `folder` whose names are in `class_names`; the label is the index there.
// Returns the other class folders.
std::vector<UnknownClass> find_images_of_classes(const std::filesystem::path& folder,
                                                 const std::vector<std::string>& class_names, ImageFiles& found);

// The names, separated by semicolons; more than ten are only counted.
std::string listed(const std::vector<std::string>& names);

}  // namespace frgan

// Reader for Street View House Numbers, cropped digits (Netzer et al. 2011): 32x32 RGB images of 10 digits.
#pragma once

#include <filesystem>

#include "frgan/data/dataset.h"

namespace frgan {

// Reads train_32x32.mat and test_32x32.mat in the folder. Adds a note if a file has another number of images than the
// official one (73,257 and 26,032). Throws an Error that names the file and the problem.
Dataset read_svhn(const std::filesystem::path& folder);

}  // namespace frgan

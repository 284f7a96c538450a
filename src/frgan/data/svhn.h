// Street View House Numbers, cropped digits (Netzer et al. 2011): 32x32 images of 10 digits.
#pragma once

#include <filesystem>

#include "frgan/data/dataset.h"

namespace frgan {

// Reads train_32x32.mat and test_32x32.mat of the folder. A file with fewer images than the official one has is said
// in the notes.
Dataset read_svhn(const std::filesystem::path& folder);

}  // namespace frgan

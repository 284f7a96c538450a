// Reader for MNIST and Fashion-MNIST: 28x28 gray images of 10 classes, in idx files.
#pragma once

#include <filesystem>

#include "frgan/data/dataset.h"

namespace frgan {

// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte in the
// folder. Each may be gzipped (".gz"). Images are padded to 32x32 with 2 black pixels on each side. Throws an Error
// that names the file and the problem.
Dataset read_mnist(const std::filesystem::path& folder);
Dataset read_fashion_mnist(const std::filesystem::path& folder);

}  // namespace frgan

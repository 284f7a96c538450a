// MNIST and Fashion-MNIST: 28x28 grey images of 10 classes, in idx files.
#pragma once

#include <filesystem>

#include "frgan/data/dataset.h"

namespace frgan {

// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte of the
// folder, each as it is or with ".gz". Images are padded to 32x32 by 2 black pixels on each side.
Dataset read_mnist(const std::filesystem::path& folder);
Dataset read_fashion_mnist(const std::filesystem::path& folder);

}  // namespace frgan

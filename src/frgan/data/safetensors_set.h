// A whole dataset in one safetensors file: reads in a moment, anywhere, and can be written by a few lines of Python.
#pragma once

#include <filesystem>

#include "frgan/data/dataset.h"

namespace frgan {

// Tensors "train.images" (uint8, N x H x W x C), "train.labels" (int64, N; -1 where unknown) and, where there are
// test images, "test.images" and "test.labels"; metadata "class_names" (a JSON list), "name" and "digest".
void write_safetensors_set(const std::filesystem::path& path, const Dataset& data);

// Reads such a file. "name" and "digest" may be missing; a digest that is there is checked against the images. Throws
// an Error that names the file and what is wrong with it.
Dataset read_safetensors_set(const std::filesystem::path& path);

}  // namespace frgan

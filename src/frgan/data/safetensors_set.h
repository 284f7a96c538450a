// A dataset in one safetensors file: loads fast, needs no image library, and is easy to write from Python.
#pragma once

#include <filesystem>

#include "frgan/data/dataset.h"

namespace frgan {

// Writes the tensors "train.images" (uint8, N x H x W x C) and "train.labels" (int64, N; -1 if unlabeled), and with
// test images also "test.images" and "test.labels". If the images were files, "train.digests" and "test.digests"
// (uint8, N x 32) have the SHA-256 of each file. Metadata: "class_names" (a JSON list), "name" and "digest".
void write_safetensors_set(const std::filesystem::path& path, const Dataset& data);

// Reads such a file. "name" and "digest" are optional; a digest is checked against the images and labels. Throws an
// Error that names the file and the problem.
Dataset read_safetensors_set(const std::filesystem::path& path);

}  // namespace frgan

// Generates datasets of a few images.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "frgan/data/dataset.h"

namespace frgan {

// Images with distinct pixels: image i has the value (7 i + 3 y + 5 x + 11 c) mod 256 at (y, x, c).
inline at::Tensor tiny_images(int64_t count, int64_t size, int64_t channels) {
  const at::Tensor images = at::empty({count, size, size, channels}, at::kByte);
  auto* to = images.data_ptr<uint8_t>();
  for (int64_t i = 0; i < count; ++i)
    for (int64_t y = 0; y < size; ++y)
      for (int64_t x = 0; x < size; ++x)
        for (int64_t c = 0; c < channels; ++c) *to++ = static_cast<uint8_t>(7 * i + 3 * y + 5 * x + 11 * c);
  return images;
}

inline Dataset tiny_dataset(const std::vector<int64_t>& labels, int64_t classes, int64_t channels = 1) {
  Dataset data;
  data.name = "tiny";
  data.source = "tiny";
  for (int64_t c = 0; c < classes; ++c) data.class_names.push_back("class" + std::to_string(c));
  data.image_size = 16;
  data.channels = channels;
  data.train = {tiny_images(static_cast<int64_t>(labels.size()), 16, channels), at::tensor(labels)};
  finish_dataset(data);
  return data;
}

// Labels 0, 1, ..., K-1, 0, 1, ...
inline std::vector<int64_t> round_robin(int64_t count, int64_t classes) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(i % classes);
  return labels;
}

}  // namespace frgan

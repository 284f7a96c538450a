// Watches the loading of an image folder: shows its progress and can stop it. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <functional>

#include "frgan/core/stop_check.h"

namespace frgan {

struct LoadWatch {
  // Called by the loading thread about five times a second, with the number of decoded images, and at last with
  // done = total. A dataset may have several sets of images.
  std::function<void(int64_t done, int64_t total)> progress = [](int64_t, int64_t) {};
  // Called by several threads before each image. If it returns true, loading throws an Error of kind kStopped.
  StopCheck stopped{};
};

}  // namespace frgan

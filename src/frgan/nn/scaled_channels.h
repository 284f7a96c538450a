// The effect of --width on the number of channels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace frgan {

// channels x width, rounded, at least 1.
inline int64_t scaled_channels(int64_t channels, double width) {
  return std::max<int64_t>(1, std::lround(static_cast<double>(channels) * width));
}

}  // namespace frgan

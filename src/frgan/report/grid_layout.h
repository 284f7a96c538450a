// How the images of a grid lie in it, for who makes one and who takes cells out of it.
#pragma once

#include <cstdint>

namespace frgan {

constexpr int64_t kGridGap = 2;       // pixels between images
constexpr int64_t kGridColumns = 10;  // of a run's grids; fewer where there are fewer images

}  // namespace frgan

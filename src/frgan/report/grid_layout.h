// Layout of image grids, shared by the code that writes them and the code that cuts cells out of them.
#pragma once

#include <cstdint>

namespace frgan {

constexpr int64_t kGridGap = 2;       // pixels between images
constexpr int64_t kGridColumns = 10;  // of a run's grids; a grid with fewer images has fewer columns

}  // namespace frgan

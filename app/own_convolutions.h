// How frgan bench runs our convolutions alone.
#pragma once

#include <vector>

#include "frgan/profile/convolutions.h"

namespace frgan {

// Those under the labels of nn/winograd.cpp.
std::vector<OwnConvolution> own_convolutions();

}  // namespace frgan

// The features of training images under a frozen network, computed once before the first step.
#pragma once

#include <vector>

#include "frgan/data/batch_stream.h"
#include "frgan/data/dataset.h"
#include "frgan/methods/method.h"
#include "frgan/nn/network.h"

namespace frgan {

// Sets the features of the views that the phases request (is_feature_view), for the rows of their pools. The others
// are 0. A view with an augmentation policy shows one change of each image, a function of the seed.
void set_encoder_features(BatchStream& batches, const Network& encoder, const ImageSet& train,
                          const std::vector<Stage>& stages, const Problem& problem);

}  // namespace frgan

// Gate values of a squeeze-and-excitation block over a set of images.
#pragma once

#include <string>
#include <vector>

namespace frgan {

// Mean and standard deviation of the gate (0 to 1) of each of C channels; K is the number of classes.
struct GateStatistics {
  std::string block;                            // "se_block2"
  std::vector<double> mean;                     // C, over all images
  std::vector<double> deviation;                // C, standard deviation over all images; 0 for a constant gate
  std::vector<std::vector<double>> class_mean;  // K x C, over the images of each class; 0 for a class without images
  std::vector<std::vector<double>> class_deviation;  // K x C; empty in files of older versions
};

}  // namespace frgan

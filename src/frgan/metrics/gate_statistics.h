// What a squeeze-and-excitation block did to the images of a set.
#pragma once

#include <string>
#include <vector>

namespace frgan {

// Of the gate, 0 to 1, of each of C channels.
struct GateStatistics {
  std::string block;                                 // "se_block2"
  std::vector<double> mean;                          // over all images
  std::vector<double> deviation;                     // standard deviation over all images: 0 where the gate is stuck
  std::vector<std::vector<double>> class_mean;       // K x C, over the images of a class; zeros where it has none
  std::vector<std::vector<double>> class_deviation;  // K x C; empty where an older frgan did not write it
};

}  // namespace frgan

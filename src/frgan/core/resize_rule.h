// How image files are resized to the size of a network. Checkpoints contain the name of the rule.
#pragma once

#include <string_view>

namespace frgan {

enum class ResizeRule {
  kArea,        // "area": io/area_resize.h
  kOpenCvArea,  // "opencv-area": OpenCV's INTER_AREA, rounded to bytes; of checkpoints without a rule
};

constexpr std::string_view resize_rule_name(ResizeRule rule) {
  return rule == ResizeRule::kArea ? "area" : "opencv-area";
}

}  // namespace frgan

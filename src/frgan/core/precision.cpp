#include "frgan/core/precision.h"

namespace frgan {

std::string precision_name(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

Words<PrecisionChoice> precision_words() {
  return {"auto", "fp32", "bf16"};
}

}  // namespace frgan

// The images of an evaluation: the test set, or the development images that a run held out (--dev-images).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace frgan {

enum class EvaluatedImages { kTest, kDev };

// "test" or "dev", the names in options, messages and files.
inline std::string name_of(EvaluatedImages images) {
  return images == EvaluatedImages::kTest ? "test" : "dev";
}

// "test" or "development", for titles.
inline std::string title_of(EvaluatedImages images) {
  return images == EvaluatedImages::kTest ? "test" : "development";
}

// Empty for other names.
inline std::optional<EvaluatedImages> parse_evaluated_images(std::string_view name) {
  if (name == "test") return EvaluatedImages::kTest;
  if (name == "dev") return EvaluatedImages::kDev;
  return std::nullopt;
}

}  // namespace frgan

// A run's mistakes.json: which images its classifier gets wrong, and what it takes them for. All others are right, so
// that error, confusion and a comparison of two runs follow from it, without data or checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/metrics/classification.h"

namespace frgan {

struct Mistake {
  int64_t row = 0;         // of the image in its set
  int64_t label = 0;       // 0..K-1
  int64_t prediction = 0;  // another of these
  double probability = 0;  // of the prediction, 0 to 1
};

struct Mistakes {
  std::string role;          // "test" or "dev"
  std::string data_digest;   // of the dataset
  std::string split_digest;  // of the label split, which chose the development images
  int64_t images = 0;
  std::vector<std::string> class_names;  // K
  std::vector<int64_t> class_counts;     // images of each class
  std::vector<Mistake> mistakes;         // the most confident first
  std::vector<int64_t> shown;            // rows in mistakes.png, cell by cell
};

// {"role", "data_digest", "split_digest", "images", "class_names", "class_counts",
//  "mistakes": [[row, label, prediction, probability], ...], "shown"}; probabilities have four digits.
nlohmann::ordered_json to_json(const Mistakes& mistakes);
// Throws an Error that begins with `name` where a key is missing or a number cannot be.
Mistakes mistakes_from_json(const nlohmann::json& json, std::string_view name);

void write_mistakes(const std::filesystem::path& path, const Mistakes& mistakes);
//   const Mistakes first = read_mistakes("runs/a/mistakes.json"), second = read_mistakes("runs/b/mistakes.json");
//   fmt::print("p = {}\n", mcnemar(first, second).p_value);
Mistakes read_mistakes(const std::filesystem::path& path);

// The wrong ones among N classified images, the most confident first, and among equals by row; `probabilities` are
// those of the predictions. The first `shown` are for mistakes.png. Labels and predictions are 0..K-1.
Mistakes find_mistakes(std::span<const int64_t> labels, std::span<const int64_t> predictions,
                       std::span<const float> probabilities, const std::vector<std::string>& class_names, size_t shown);

// Error of all and of each class, and the confusion matrix.
Classification score(const Mistakes& mistakes);
// K x K images: [label][prediction].
std::vector<std::vector<int64_t>> confusion(const Mistakes& mistakes);
// In ascending order.
std::vector<int64_t> wrong_rows(const Mistakes& mistakes);

// Whether both were found on the same images.
bool on_same_images(const Mistakes& first, const Mistakes& second);
// Throws an Error where they were not.
McNemarTest mcnemar(const Mistakes& first, const Mistakes& second);

}  // namespace frgan

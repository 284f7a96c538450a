// A run's mistakes.json: the images that its classifier misclassifies, with label and prediction. All other images are
// correct. Error, confusion matrix and the comparison of two runs need only this file, no data and no checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/evaluated_images.h"
#include "frgan/core/json.h"
#include "frgan/metrics/classification.h"

namespace frgan {

struct Mistake {
  int64_t row = 0;         // index of the image in its set, from 0
  int64_t label = 0;       // 0..K-1
  int64_t prediction = 0;  // 0..K-1, not `label`
  double probability = 0;  // predicted probability of `prediction`, 0 to 1
  // Its path relative to the data, if each image is a file; else empty. Escaped (one_line in core/error.h), because a
  // JSON text cannot hold a name that is not UTF-8.
  std::string file = "";
};

struct Mistakes {
  EvaluatedImages role = EvaluatedImages::kTest;
  std::string data_digest;               // SHA-256 of the dataset
  std::string split_digest;              // SHA-256 of the label split, which selects the development images
  int64_t images = 0;                    // evaluated images, correct ones included
  std::vector<std::string> class_names;  // K
  std::vector<int64_t> class_counts;     // K: evaluated images of each class
  std::vector<Mistake> mistakes;         // by descending probability
  std::vector<int64_t> shown;            // rows of the cells of mistakes.png, in order
};

// {"role", "data_digest", "split_digest", "images", "class_names", "class_counts",
//  "mistakes": [[row, label, prediction, probability], ...], "shown", "files"}; probabilities are rounded to four
// decimals. "files" has the file of each mistake; it is absent if the images are not files.
Json to_json(const Mistakes& mistakes);
// Throws an Error that starts with `name` if a key is missing or a value is invalid.
Mistakes mistakes_from_json(const Json& json, std::string_view name);

void write_mistakes(const std::filesystem::path& path, const Mistakes& mistakes);
//   const Mistakes first = read_mistakes("runs/a/mistakes.json"), second = read_mistakes("runs/b/mistakes.json");
//   fmt::print("p = {}\n", mcnemar(first, second).p_value);
Mistakes read_mistakes(const std::filesystem::path& path);

// Collects the misclassified images among N, by descending probability; ties are ordered by row. Labels and predictions
// (N each) are 0..K-1; `probabilities` (N) are those of the predictions. The first `shown` mistakes are listed for
// mistakes.png. The caller sets role, digests and files.
Mistakes find_mistakes(std::span<const int64_t> labels, std::span<const int64_t> predictions,
                       std::span<const float> probabilities, const std::vector<std::string>& class_names, size_t shown);

// Overall error, error of each class, and confusion matrix.
Classification score(const Mistakes& mistakes);
// Confusion matrix, K x K image counts: [label][prediction].
std::vector<std::vector<int64_t>> confusion(const Mistakes& mistakes);
// Rows of all mistakes, in ascending order.
std::vector<int64_t> wrong_rows(const Mistakes& mistakes);

// Whether both refer to the same images. Test sets are compared by data digest, development sets also by label split.
bool on_same_images(const Mistakes& first, const Mistakes& second);
// McNemar's exact two-sided test. Throws an Error if on_same_images is false.
McNemarTest mcnemar(const Mistakes& first, const Mistakes& second);

}  // namespace frgan

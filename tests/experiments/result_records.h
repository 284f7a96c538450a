// Records of runs that nobody made.
#pragma once

#include <string>
#include <vector>

#include "frgan/experiments/result_record.h"
#include "frgan/train/recipe.h"

namespace frgan {

// Of `pictures` test pictures, of which the given ones were taken for class 1; the last evaluation says as much, and
// those before it one picture more each.
inline ResultRecord record_with(const std::string& name, const std::string& key, const std::vector<int64_t>& wrong,
                                int64_t pictures = 1000) {
  ResultRecord record;
  record.name = name;
  record.key = key;
  record.recipe = kRecipe;
  record.data_digest = "digest";
  record.options = {{"seed", 1}, {"augmentation", {"translate:2"}}};
  record.summary = {{"test", {{"pictures", pictures}}},
                    {"steps", 100},
                    {"wall_seconds", 60.0},
                    {"processor", "A processor"},
                    {"threads", 1},
                    {"precision", "bf16"},
                    {"device", "cpu"},
                    {"commit", "0123456789abcdef"}};
  for (int64_t evaluation = 1; evaluation <= 30; ++evaluation) {
    const auto errors = static_cast<double>(std::ssize(wrong) + 30 - evaluation);
    record.evaluations.emplace_back(10 * evaluation, errors / static_cast<double>(pictures));
  }
  for (const int64_t row : wrong) record.mistakes.emplace_back(row, 1);
  record.tflop = 12;
  record.pictures_seen = 8000;
  record.parameters = {{"discriminator", 793684}};
  return record;
}

// Rows 0 to count - 1, from `first` on.
inline std::vector<int64_t> rows(int64_t count, int64_t first = 0) {
  std::vector<int64_t> list;
  for (int64_t i = 0; i < count; ++i) list.push_back(first + i);
  return list;
}

}  // namespace frgan

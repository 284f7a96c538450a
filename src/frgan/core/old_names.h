// Names of options, plan keys and JSON keys that changed. Every reader accepts the old name; every writer uses the new
// one. docs/options.md prints this table.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace frgan {

struct OldName {
  std::string_view old_name;
  std::string_view name;
};

// To rename an option or key, add a row. Never remove one: files with the old name exist.
inline constexpr OldName kOldNames[] = {
    // options
    {"dev-pictures", "dev-images"},
    {"init-pictures", "init-images"},
    {"train-pictures", "train-images"},
    // options of bench, keys of records, logs and scores
    {"pictures", "images"},
    {"pictures_per_split", "images_per_split"},
    {"pictures_seen", "images_seen"},
    {"precision_recall_pictures", "precision_recall_images"},
    {"real_pictures", "real_images"},
    {"train_pictures", "train_images"},
    {"hash", "digest"},
    {"scorer_hash", "scorer_digest"},
    {"split_hash", "split_digest"},
    // keys of plans
    {"score-pictures", "score-images"},
};

// The current name of an option or key: "dev-pictures" gives "dev-images", and a current name gives itself.
constexpr std::string_view current_name(std::string_view name) {
  const auto found = std::ranges::find(kOldNames, name, &OldName::old_name);
  return found == std::end(kOldNames) ? name : found->name;
}

// The name under which an option was introduced. Digests over option names use it, so that they survive a renaming.
constexpr std::string_view first_name(std::string_view name) {
  const auto found = std::ranges::find(kOldNames, name, &OldName::name);
  return found == std::end(kOldNames) ? name : found->old_name;
}

}  // namespace frgan

// JSON file with one scorer's scores of a set of images: those of a run's generator, or real ones.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frgan/core/json.h"

namespace frgan {

// Names of the sets of real images.
inline constexpr const char *kRealTrain = "real-train", *kRealTest = "real-test";

struct ScoredSet {
  std::string name;  // name of the run; kRealTrain or kRealTest
  std::string key;   // key of the run; for real images, the digest of the dataset
  std::string scorer_digest;
  std::string precision;  // precision of the scorer
  Json scores;            // to_json(ImageScores); for real images also "ceiling", exp(H(y)) of the labels
};

// Writes FOLDER/NAME.json.
void write_scored_set(const std::filesystem::path& folder, const ScoredSet& set);
// Throws an Error with the file's name if it is not a complete scored set.
ScoredSet read_scored_set(const std::filesystem::path& file);
// No value if the file is missing or damaged.
std::optional<ScoredSet> find_scored_set(const std::filesystem::path& file);
// All intact scored sets in a folder, sorted by name; empty if the folder does not exist. Calls `damaged` with what is
// wrong with each of the others.
std::vector<ScoredSet> read_scored_sets(const std::filesystem::path& folder,
                                        const std::function<void(const std::string&)>& damaged = {});

// nullptr if there is no set with this name.
const ScoredSet* find_set(const std::vector<ScoredSet>& sets, const std::string& name);

}  // namespace frgan

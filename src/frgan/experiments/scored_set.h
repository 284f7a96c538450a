// A file of scores of a set of images by one scorer: of what a run's generator makes, or of real ones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace frgan {

// The names of the sets of real images.
inline constexpr const char *kRealTrain = "real-train", *kRealTest = "real-test";

struct ScoredSet {
  std::string name;  // of the run, or kRealTrain, kRealTest
  std::string key;   // of the run; the digest of the data for real images
  std::string scorer_digest;
  std::string precision;          // of the scorer
  nlohmann::ordered_json scores;  // to_json(ImageScores), and for real images "ceiling", exp(H(y))
};

// As FOLDER/NAME.json.
void write_scored_set(const std::filesystem::path& folder, const ScoredSet& set);
// Throws an Error that names a file which is no scored set.
ScoredSet read_scored_set(const std::filesystem::path& file);
// Every scored set of a folder, by name; none where there is no folder.
std::vector<ScoredSet> read_scored_sets(const std::filesystem::path& folder);

// nullptr where there is none of that name.
const ScoredSet* find_set(const std::vector<ScoredSet>& sets, const std::string& name);

}  // namespace frgan

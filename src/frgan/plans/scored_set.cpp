#include "frgan/plans/scored_set.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScoredSetFormat = "frgan scored set 1";

}  // namespace

void write_scored_set(const fs::path& folder, const ScoredSet& set) {
  ensure_directory(folder);
  const Json json = with_checksum({{"format", kScoredSetFormat},
                                   {"key", set.key},
                                   {"scorer_digest", set.scorer_digest},
                                   {"precision", set.precision},
                                   {"scores", set.scores}});
  write_file_safely(folder / (set.name + ".json"), json.dump(1) + "\n");
}

ScoredSet read_scored_set(const fs::path& file) try {
  const Json json = read_json_object(file);
  if (!json.is_object() || json.value("format", "") != kScoredSetFormat) {
    throw Error(fmt::format("{}: not a scored set; expected an object with \"format\": \"{}\"", file.string(),
                            kScoredSetFormat));
  }
  return {file.stem().string(), json.at("key").get<std::string>(), json.at("scorer_digest").get<std::string>(),
          json.at("precision").get<std::string>(), json.at("scores")};
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: incomplete scored set: {}", file.string(), error.what()));
}

std::optional<ScoredSet> find_scored_set(const fs::path& file) try {
  if (!fs::exists(file)) return std::nullopt;
  return read_scored_set(file);
} catch (const Error&) {
  return std::nullopt;
}

std::vector<ScoredSet> read_scored_sets(const fs::path& folder,
                                        const std::function<void(const std::string&)>& damaged) {
  std::vector<ScoredSet> sets;
  for (const fs::path& file : files_in(folder, ".json")) {
    try {
      sets.push_back(read_scored_set(file));
    } catch (const Error& error) {
      if (damaged) damaged(error.what());
    }
  }
  return sets;
}

const ScoredSet* find_set(const std::vector<ScoredSet>& sets, const std::string& name) {
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const ScoredSet& set) { return set.name == name; });
  return found == sets.end() ? nullptr : &*found;
}

}  // namespace frgan

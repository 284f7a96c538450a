// What is kept of a finished run: enough for every table and curve, and small enough for a repository.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/experiments/planned_runs.h"
#include "frgan/metrics/classification.h"

namespace frgan {

struct RunRecord {
  std::string name;  // PlannedRun::name
  std::string key;   // run_key
  int64_t recipe = 0;
  std::string data_digest;
  nlohmann::ordered_json options;                       // all, resolved
  nlohmann::ordered_json summary;                       // summary.json
  std::vector<std::pair<int64_t, double>> evaluations;  // (step, error 0 to 1) of the test images, by step
  std::vector<std::pair<int64_t, int64_t>> mistakes;    // (test image, prediction), by image
  int64_t steps_per_epoch = 1;
  double tflop = 0;
  int64_t images_seen = 0;            // that entered a network
  nlohmann::ordered_json parameters;  // of each network

  // Of the test images, 0 to 1: of the last weights, and the median of the last 20 evaluations (NaN where there are
  // fewer).
  double error() const;
  double median_error() const;
  int64_t test_images() const;
};

// From a run's folder that has a summary.json. Throws an Error that names the file that is missing or cut short.
RunRecord record_of(const std::filesystem::path& run, const PlannedRun& planned);

// As FOLDER/NAME.json.
void write_run_record(const std::filesystem::path& folder, const RunRecord& record);
// Throws an Error that names a file which is no record.
RunRecord read_run_record(const std::filesystem::path& file);
// Every record of a folder, by name; none where there is no folder.
std::vector<RunRecord> read_run_records(const std::filesystem::path& folder);

// Which images one of two runs alone got wrong; throws an Error when they were tested on different images.
McNemarTest mcnemar_test(const RunRecord& first, const RunRecord& second);

}  // namespace frgan

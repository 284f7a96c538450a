// The record of a finished run: everything that tables and curves need, small enough for a repository.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/metrics/classification.h"
#include "frgan/plans/planned_runs.h"

namespace frgan {

struct RunRecord {
  std::string name;  // PlannedRun::name
  std::string key;   // run_key
  int64_t recipe = 0;
  std::string data_digest;
  Json options;                                         // all options of the planned run
  Json summary;                                         // content of summary.json
  std::vector<std::pair<int64_t, double>> evaluations;  // (step, test error from 0 to 1), by step; never empty
  std::vector<std::pair<int64_t, int64_t>> mistakes;    // (index of the test image, predicted class), by index
  int64_t steps_per_epoch = 1;
  double tflop = 0;
  int64_t images_seen = 0;  // images that entered a network, over all steps
  Json parameters;          // parameter count per network

  double error() const;         // test error of the last weights, 0 to 1
  double median_error() const;  // median test error of the last 20 evaluations, 0 to 1; NaN if there are fewer
  int64_t test_images() const;  // number of test images
};

// Makes the record of a finished run from its folder. Throws an Error that names a missing or damaged file.
RunRecord record_of(const std::filesystem::path& run, const PlannedRun& planned);

// Writes FOLDER/NAME.json.
void write_run_record(const std::filesystem::path& folder, const RunRecord& record);
// Throws an Error with the file's name if it is not a complete record.
RunRecord read_run_record(const std::filesystem::path& file);
// All intact records in a folder, sorted by name; empty if the folder does not exist.
std::vector<RunRecord> read_run_records(const std::filesystem::path& folder);
// What is wrong with each of the others: "results/hour/runs/NAME.json: not JSON, or truncated".
std::vector<std::string> damaged_records(const std::filesystem::path& folder);

// McNemar's test on the images that exactly one of two runs got wrong. Throws an Error if the test images differ.
McNemarTest mcnemar_test(const RunRecord& first, const RunRecord& second);

}  // namespace frgan

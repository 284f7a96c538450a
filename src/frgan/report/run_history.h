// A run as its folder tells of it, for reports: what was logged, what came out, and what is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frgan/metrics/gate_statistics.h"
#include "frgan/report/mistakes.h"
#include "frgan/report/run_log.h"
#include "frgan/report/run_summary.h"
#include "frgan/report/step_record.h"

namespace frgan {

// A grid of generated images, as PNG.
struct SampleGrid {
  int64_t step = 0;
  std::string png;
};

struct RunHistory {
  std::filesystem::path folder;
  std::string name;                                          // tells it from the other runs of a report
  std::vector<std::pair<std::string, std::string>> options;  // resolved, in their order; not read here
  int64_t labels = 0;                                        // labeled images; 0: not known
  bool finished = false;                                     // has a summary.json
  RunSummary summary;                                        // of an unfinished run: steps and seconds so far
  Machine machine;
  std::string version, commit;  // of frgan
  std::vector<StepRecord> steps;
  std::vector<EvaluationRecord> evaluations;  // of both roles, as logged
  std::optional<Mistakes> mistakes;
  std::vector<GateStatistics> gates;
  std::vector<std::string> notes;  // what is missing or could not be read, a line each

  // Not read here, but by read_images.
  std::string mistakes_png;         // the grid, row by row, of the first of `mistakes->shown`; empty without
  size_t shown_mistakes = 0;        // how many of them
  std::vector<SampleGrid> samples;  // by step, the last among them
  size_t sample_images = 0;         // the first of each grid; 0: all
  size_t grids = 0;                 // in its folder
  bool images_left_out = false;     // there was no room for any
};

// Reads a run's folder, but for its images. What is damaged becomes a note, and the rest is there. Throws an Error
// where the folder is none of a run.
RunHistory read_run_history(const std::filesystem::path& folder);

// Gives each run the shortest end of its folder's path that no other has: "seed-1", or "fast/seed-1".
void name_runs(std::vector<RunHistory>& runs);

// "test", or "dev" where the run has no test images: what it is judged by.
std::string judged_role(const RunHistory& record);
// Of the averaged last weights, by that role; none before the end of the run.
std::optional<EvaluationRecord> final_error(const RunHistory& record);
// The median of the last 20 evaluations of that role, 0 to 1; NaN where there are fewer.
double late_median(const RunHistory& record);

}  // namespace frgan

// Reads a run folder for reports: log, results, and notes on missing or damaged files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frgan/metrics/gate_statistics.h"
#include "frgan/metrics/quality.h"
#include "frgan/report/mistakes.h"
#include "frgan/report/run_log.h"
#include "frgan/report/run_summary.h"
#include "frgan/report/step_record.h"

namespace frgan {

// A grid of generated images.
struct SampleGrid {
  int64_t step = 0;
  std::string png;  // content of a PNG file
};

struct RunHistory {
  std::filesystem::path folder;
  std::string name;                                          // unique within a report, see name_runs
  std::vector<std::pair<std::string, std::string>> options;  // resolved options in order; set by the caller
  int64_t labels = 0;                                        // labeled images; 0: unknown
  bool finished = false;                                     // summary.json was read
  RunSummary summary;                                        // unfinished run: only steps and seconds so far
  Machine machine;
  std::string version, commit;  // of frgan, empty: unknown
  std::vector<StepRecord> steps;
  std::vector<EvaluationRecord> evaluations;  // test and dev, in the order of the log
  std::optional<Mistakes> mistakes;
  std::optional<Quality> quality;
  std::vector<GateStatistics> gates;
  std::vector<std::string> notes;  // missing or unreadable parts, one line each

  // Set by read_images (run_images.h).
  std::string mistakes_png;         // PNG grid of the first `shown_mistakes` images of `mistakes->shown`; may be empty
  size_t shown_mistakes = 0;        // images in mistakes_png
  std::vector<SampleGrid> samples;  // by step; includes the last grid
  size_t sample_images = 0;         // images kept of each grid, from its start; 0: all
  size_t grids = 0;                 // grids in the run folder
  bool images_omitted = false;      // no images, because the page would be too large
};

// Reads a run folder without its images. Damaged files become notes; the other files are still read. Throws an Error if
// the path is not a run folder.
RunHistory read_run_history(const std::filesystem::path& folder);

// Names each run by the shortest unique suffix of its folder's path: "seed-1", or "fast/seed-1".
void name_runs(std::vector<RunHistory>& runs);

// The set whose error is reported: "test", or "dev" if the run was never evaluated on test images.
EvaluatedImages primary_role(const RunHistory& record);
// Error of the averaged final weights on that set; empty until the run is finished.
std::optional<EvaluationRecord> final_error(const RunHistory& record);
// Median error of the last 20 evaluations on that set, 0 to 1; NaN if there are fewer.
double late_median(const RunHistory& record);

}  // namespace frgan

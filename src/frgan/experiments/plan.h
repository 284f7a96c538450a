// A plan of runs, as data: which rows, at which values, how often and how long; and how the results are shown.
//
//   title = "Table 3: test error"
//   show = "errors"                          # or "scores", "grids", "noise"
//   reference = "FR-GAN"                     # the row that the others are compared with
//   scorer = "scorer"                        # the plan whose run scores images, where scores are shown
//   seeds = 4
//
//   [settings]                               # of every run, over the row's preset
//   data = "svhn"
//
//   [vary]                                   # a section of the table for each value
//   labels = [500, 1000]
//
//   [budget.hour]                            # steps, epochs or tflop; its own seeds, and settings of every run
//   steps = 52000
//   settings = {width = 0.5}
//
//   [[row]]
//   name = "FR-GAN"
//   preset = "fr-gan"                        # none: a row with published values alone
//   settings = {}
//   augmentation = "unknown"                 # of the published value (A21)
//   source = "this paper"
//   published = {500 = [13.41, 0.20]}        # by the varied value, or "all": error and deviation, percent
//
// What varies is stronger than what is said of a row, that stronger than what is said of a budget, and that stronger
// than [settings]; an option of the last two that a row's method does not have is left out there. Method, length and
// seeds cannot be set. Every run has the same number of steps. Each seed is that of the run, of its choice of labels
// and of its label noise, so rows are compared on the same splits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/experiments/config_file.h"

namespace frgan {

struct Published {
  double value = 0;
  std::optional<double> deviation;
};

struct PlanRow {
  std::string name;
  std::string preset;  // empty: not run
  std::vector<Setting> settings;
  std::string augmentation;
  std::string source;                          // of the published values
  std::map<std::string, Published> published;  // by the text of the varied value
  std::string note;
};

// What one section of a table has in common.
struct PlanSection {
  std::string title;  // "labels 500"; empty where nothing varies
  std::string value;  // "500"
  std::vector<Setting> settings;
};

// How long runs are: one of the three is set.
struct Budget {
  std::string name;  // "paper", "hour", "smoke"
  int64_t steps = 0;
  double epochs = 0;
  double tflop = 0;               // of the row whose step is the most work
  int64_t seeds = 0;              // in place of the plan's; 0: as it says
  int64_t score_images = 50'000;  // of each generator, where the plan shows scores
  std::vector<Setting> settings;
  std::string note;  // what a reader of its results must know
};

struct Plan {
  std::string name;  // "table3": of the file
  std::string title;
  std::string show = "errors";
  std::string reference;
  std::string scorer;  // the paper plan that trains it; where scores are shown
  int64_t seeds = 1;
  std::vector<Setting> settings;
  std::vector<PlanSection> sections;  // at least one
  std::vector<Budget> budgets;        // at least one
  std::vector<PlanRow> rows;          // at least one

  size_t reference_row() const;  // rows.size() without
  // Under which PlanRow::published has the values of a section: "500"; "all" where nothing varies, or scores are shown.
  std::string published_key(const PlanSection& section) const;
  // Throws a usage error that names the nearest.
  const Budget& budget(const std::string& name) const;
};

// Throws a usage error that says where and what where the text is no plan: a key that is unknown or has another type, a
// preset that does not exist (with the nearest), a reference that is no row.
Plan read_plan(std::string_view text, const std::string& name);

// The plan of the paper of that name (paper_plans.h). Throws a usage error that names the nearest.
Plan read_paper_plan(const std::string& name);

}  // namespace frgan

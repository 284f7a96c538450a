// A plan describes a set of runs as data: rows (presets with options), varied values, seeds, budget, and how results
// are shown. docs/plans.md is the user's documentation.
//
//   title = "Table 3: test error"
//   show = "errors"                          # or "scores", "grids", "noise"
//   reference = "FR-GAN"                     # row that all others are compared with
//   scorer = "scorer"                        # for "scores": plan that trains the scorer
//   seeds = 4
//
//   [settings]                               # options of every run; they override the row's preset
//   data = "svhn"
//
//   [vary]                                   # one section of the table per value
//   labels = [500, 1000]
//
//   [budget.hour]                            # one of steps, epochs, tflop; optionally seeds and settings
//   steps = 52000
//   settings = {width = 0.5}
//
//   [[row]]
//   name = "FR-GAN"
//   preset = "fr-gan"                        # without preset: not run, shows only published values
//   settings = {}
//   augmentation = "unknown"                 # augmentation of the published value (A21: augmentation in Table 3)
//   source = "this paper"
//   published = {500 = [13.41, 0.20]}        # per varied value, or "all": error and standard deviation, percent
//
// Precedence: vary > row > budget > [settings] > preset. Options in the budget or in [settings] that a row's method
// does not have are ignored for that row. Method, length and seeds cannot be set as options. All runs have the same
// number of steps. The seed of a run is also the seed of its label split and its label noise, so rows are compared on
// the same label splits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/plans/show_kinds.h"
#include "frgan/settings/config_file.h"

namespace frgan {

struct Published {
  double value = 0;  // error in percent, or a score
  std::optional<double> deviation;
};

struct PlanRow {
  std::string name;
  std::string preset;  // empty: the row is not run
  std::vector<Setting> settings;
  std::string augmentation;
  std::string source;                          // citation of the published values
  std::map<std::string, Published> published;  // key: the varied value as text, see Plan::published_key
  std::string note;
};

// One section of a table: one combination of varied values.
struct PlanSection {
  std::string title;  // "labels 500"; empty if nothing varies
  std::string value;  // "500"
  std::vector<Setting> settings;
};

// Length of the runs. Exactly one of steps, epochs and tflop is positive.
struct Budget {
  std::string name;  // "paper", "hour", "smoke"
  int64_t steps = 0;
  double epochs = 0;
  double tflop = 0;               // total work of a run in the row with the most expensive step
  int64_t seeds = 0;              // overrides Plan::seeds; 0: not set
  int64_t score_images = 50'000;  // images scored per generator, for show = "scores"
  std::vector<Setting> settings;
  std::string note;  // printed below the tables
};

struct Plan {
  std::string name;  // "table3", or the path of a user's file
  std::string title;
  Show show = Show::kErrors;
  std::string reference;
  std::string scorer;  // for show = "scores": name of the paper plan that trains the scorer
  int64_t seeds = 1;
  std::vector<Setting> settings;
  std::vector<PlanSection> sections;  // at least one
  std::vector<Budget> budgets;        // at least one
  std::vector<PlanRow> rows;          // at least one

  size_t reference_row() const;  // rows.size() if there is none
  // The key of a section's values in PlanRow::published: "500"; "all" if nothing varies or ShowKind::one_published.
  std::string published_key(const PlanSection& section) const;
  // Throws a usage error with the nearest name if there is no such budget.
  const Budget& budget(const std::string& name) const;
};

// Parses and checks a plan; `name` is the file name for error messages. Throws a usage error for invalid TOML, an
// unknown key, a wrong type, an unknown preset (with the nearest name), or a reference that is not a row. It also
// limits the plan's size: 1000 seeds, 1000 combinations of varied values, and 10,000 rows times combinations.
Plan read_plan(std::string_view text, const std::string& name);

// A plan of the paper by name (paper_plans.h). Throws a usage error with the nearest name if there is none.
Plan read_paper_plan(const std::string& name);

}  // namespace frgan

// The kinds of results that a plan can show, as one table: what each kind needs and what is written.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace frgan {

// The value of `show` in a plan.
enum class Show { kErrors, kScores, kGrids, kNoise };

// A result that is written.
enum class PlanOutput { kErrorsTable, kScoresTable, kGridsFigure, kNoiseFigure, kNone };

struct ShowKind {
  Show show;
  std::string_view name;              // in a plan: show = "errors"
  std::array<PlanOutput, 2> outputs;  // what is written, in this order; kNone: nothing
  std::string_view varied = "";       // the only option that the plan must vary; empty: any options or none
  bool needs_generators = false;      // every method needs a generator
  bool needs_one_dataset = false;     // all runs need the same dataset
  bool needs_scorer = false;          // a scorer scores the generated images
  bool one_published = false;         // one published value per row instead of one per section
  bool against_first = false;         // the errors table compares each section with the first
};

// In the order of the enumerators.
inline constexpr std::array kShowKinds = {
    ShowKind{.show = Show::kErrors, .name = "errors", .outputs = {PlanOutput::kErrorsTable, PlanOutput::kNone}},
    ShowKind{.show = Show::kScores,
             .name = "scores",
             .outputs = {PlanOutput::kScoresTable, PlanOutput::kNone},
             .needs_generators = true,
             .needs_one_dataset = true,
             .needs_scorer = true,
             .one_published = true},
    ShowKind{.show = Show::kGrids,
             .name = "grids",
             .outputs = {PlanOutput::kGridsFigure, PlanOutput::kNone},
             .needs_generators = true,
             .needs_one_dataset = true},
    ShowKind{.show = Show::kNoise,
             .name = "noise",
             .outputs = {PlanOutput::kErrorsTable, PlanOutput::kNoiseFigure},
             .varied = "label-noise",
             .against_first = true},
};

constexpr const ShowKind& kind_of(Show show) {
  return kShowKinds[static_cast<size_t>(show)];
}

}  // namespace frgan

// Table cells shared by the result tables: published values, means over seeds, paired differences, and the cost of
// runs.
#pragma once

#include <string>
#include <vector>

#include "frgan/plans/plan_results.h"
#include "frgan/tables/table.h"

namespace frgan {

// A number for CSV: six significant digits; empty if not finite.
std::string csv_number(double value);

// The published value for a section's key: "7.20 ± 0.16", with both numbers; a dash if there is none.
TableCell published_cell(const PlanRow& row, const std::string& value);

// Mean and standard deviation: "7.62 ± 0.15". A single value has no deviation: "7.62".
std::string mean_text(const std::vector<double>& values, int digits);

// "+1.50 [-4.85, +7.85] (2)": mean of paired differences, its 95 % t interval, and the number of pairs; a dash if there
// are none.
TableCell difference_cell(const std::vector<double>& differences, int digits);

// Steps, images seen, TFLOP, median wall time, hardware, parameter counts and commit of a row's runs.
std::vector<TableColumn> effort_columns();
std::vector<TableCell> effort_cells(const std::vector<const RunRecord*>& records);

// The distinct texts of the records, sorted: "a; b".
std::string distinct_texts(const std::vector<const RunRecord*>& records, std::string (*text)(const RunRecord&));

}  // namespace frgan

// Cells that tables of results share: what was published, means over seeds, differences from another row, and what the
// runs of a row took.
#pragma once

#include <string>
#include <vector>

#include "frgan/experiments/plan_results.h"
#include "frgan/experiments/table.h"

namespace frgan {

// For CSV: six digits; empty where it is not finite.
std::string csv_number(double value);

// "7.20 ± 0.16", with both numbers; a dash without.
TableCell published_cell(const PlanRow& row, const std::string& value);

// "7.62 ± 0.15" of one or more values, without a deviation of one.
std::string mean_text(const std::vector<double>& values, int digits);

// "+1.50 [-4.85, +7.85] (2)": the mean of paired differences, its 95 % t interval, and how many there are; a dash of
// none.
TableCell difference_cell(const std::vector<double>& differences, int digits);

// Updates, images seen, TFLOP, time, hardware, parameters and commit of a row's runs.
std::vector<TableColumn> effort_columns();
std::vector<TableCell> effort_cells(const std::vector<const RunRecord*>& records);

// All different texts of the records, in order: "a; b".
std::string each_once(const std::vector<const RunRecord*>& records, std::string (*text)(const RunRecord&));

}  // namespace frgan

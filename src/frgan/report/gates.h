// A run's gates.json: statistics of the squeeze-and-excitation gates, overall and by class.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/metrics/gate_statistics.h"

namespace frgan {

// {"blocks": [{"block", "mean": [C], "deviation": [C], "class_mean": [K x C], "class_deviation": [K x C]}, ...]}.
// C: channels, K: classes. Values are rounded to four decimals.
Json to_json(const std::vector<GateStatistics>& gates);
// Throws an Error that starts with `name` if a key is missing or list lengths differ. `class_deviation` is optional:
// older versions did not write it.
std::vector<GateStatistics> gates_from_json(const Json& json, std::string_view name);

void write_gates(const std::filesystem::path& path, const std::vector<GateStatistics>& gates);
std::vector<GateStatistics> read_gates(const std::filesystem::path& path);

}  // namespace frgan

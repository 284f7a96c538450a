// A run's gates.json: what its squeeze-and-excitation blocks do to the images of each class.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/metrics/gate_statistics.h"

namespace frgan {

// {"blocks": [{"block", "mean": [C], "deviation": [C], "class_mean": [K x C], "class_deviation": [K x C]}, ...]},
// numbers with four digits.
nlohmann::ordered_json to_json(const std::vector<GateStatistics>& gates);
// Throws an Error that begins with `name` where a key is missing or the lists have not the same length.
std::vector<GateStatistics> gates_from_json(const nlohmann::json& json, std::string_view name);

void write_gates(const std::filesystem::path& path, const std::vector<GateStatistics>& gates);
std::vector<GateStatistics> read_gates(const std::filesystem::path& path);

}  // namespace frgan

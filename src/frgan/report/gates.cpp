#include "frgan/report/gates.h"

#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

std::vector<double> rounded(std::vector<double> numbers) {
  for (double& number : numbers) number = std::round(1e4 * number) / 1e4;
  return numbers;
}

Json rounded(const std::vector<std::vector<double>>& rows) {
  Json list = Json::array();
  for (const std::vector<double>& row : rows) list.push_back(rounded(row));
  return list;
}

}  // namespace

Json to_json(const std::vector<GateStatistics>& gates) {
  Json blocks = Json::array();
  for (const GateStatistics& gate : gates) {
    blocks.push_back({{"block", gate.block},
                      {"mean", rounded(gate.mean)},
                      {"deviation", rounded(gate.deviation)},
                      {"class_mean", rounded(gate.class_mean)},
                      {"class_deviation", rounded(gate.class_deviation)}});
  }
  return {{"blocks", blocks}};
}

std::vector<GateStatistics> gates_from_json(const Json& json, std::string_view name) try {
  std::vector<GateStatistics> gates;
  for (const Json& block : json.at("blocks")) {
    GateStatistics gate;
    block.at("block").get_to(gate.block);
    block.at("mean").get_to(gate.mean);
    block.at("deviation").get_to(gate.deviation);
    block.at("class_mean").get_to(gate.class_mean);
    if (block.contains("class_deviation")) block.at("class_deviation").get_to(gate.class_deviation);
    std::vector<std::vector<double>> rows = gate.class_mean;
    rows.push_back(gate.deviation);
    rows.insert(rows.end(), gate.class_deviation.begin(), gate.class_deviation.end());
    if (!gate.class_deviation.empty() && gate.class_deviation.size() != gate.class_mean.size()) {
      throw Error(fmt::format(
          "{}: block '{}': class_mean has {} classes, class_deviation {}; the file is corrupt or was edited", name,
          gate.block, gate.class_mean.size(), gate.class_deviation.size()));
    }
    for (const std::vector<double>& row : rows) {
      if (row.size() == gate.mean.size()) continue;
      throw Error(fmt::format("{}: block '{}': {} values for {} channels; the file is corrupt or was edited", name,
                              gate.block, row.size(), gate.mean.size()));
    }
    gates.push_back(std::move(gate));
  }
  return gates;
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: not a valid gates file ({})", name, error.what()));
}

void write_gates(const std::filesystem::path& path, const std::vector<GateStatistics>& gates) {
  write_file_safely(path, with_checksum(to_json(gates)).dump() + '\n');
}

std::vector<GateStatistics> read_gates(const std::filesystem::path& path) {
  return gates_from_json(read_json_object(path), path.string());
}

}  // namespace frgan

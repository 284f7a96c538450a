// A run's summary.json: its result and everything that one needs to judge or repeat it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/report/run_log.h"

namespace frgan {

// The machine as this process sees it, and the LibTorch it runs on.
struct Machine {
  std::string processor;          // "AMD EPYC 9R14 96-Core Processor"; "unknown" where /proc/cpuinfo does not say
  int64_t cores = 0;              // that this process may use
  int64_t threads = 0;            // that LibTorch uses
  int64_t memory_bytes = 0;       // in all
  int64_t peak_memory_bytes = 0;  // of this process so far: its largest resident set
  std::string libtorch;           // "1.13.0"
};
Machine this_machine();

// Seconds since this process began.
double process_seconds();

// From the text of /proc/cpuinfo: the processor's name, or "unknown".
std::string processor_name(std::string_view cpuinfo);
// From the text of /proc/meminfo or /proc/self/status: the bytes of "MemTotal" or "VmHWM"; 0 where it is not there.
int64_t memory_quantity(std::string_view text, std::string_view key);

// What the process that ended the run spent on other things than steps, in seconds.
struct TimeSpent {
  double before_first_step = 0;  // LibTorch, data, initialisation, a timed step; not part of wall_seconds
  double evaluations = 0;        // of development and test images
  double records = 0;            // log lines, grids of images, all checkpoints but the first and the last
};

struct RunSummary {
  std::string method;
  std::string command;         // that repeats the run, with its number of steps
  std::string data;            // "svhn"
  std::string data_digest;     // SHA-256 over images and labels
  std::string split_digest;    // SHA-256 of the label split
  std::string options_digest;  // SHA-256 of the resolved options
  int64_t recipe = 0;          // train/recipe.h
  int64_t steps = 0;
  double gflop_per_step = 0;  // Method::step_flop
  double wall_seconds = 0;    // of training, those before a resume included
  TimeSpent time_spent;
  std::optional<EvaluationRecord> test;  // of the averaged last weights
  std::optional<EvaluationRecord> dev;
  std::vector<std::pair<std::string, double>> losses;  // as last logged
  std::string precision;                               // "fp32" or "bf16"
  std::string device;                                  // core/device.h: device_name
};

// The fields above in order, with the evaluations as in metrics.jsonl ({"test_error": ..., "error_low", ...}; null
// where there is none), frgan's version and commit, and the machine.
nlohmann::ordered_json to_json(const RunSummary& summary, const Machine& machine);

void write_run_summary(const std::filesystem::path& path, const RunSummary& summary);

}  // namespace frgan

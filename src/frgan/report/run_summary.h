// A run's summary.json: the result, and everything needed to judge or repeat it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/device/machine.h"
#include "frgan/report/run_log.h"

namespace frgan {

// Time that the last process of the run spent outside training steps, in seconds.
struct TimeSpent {
  double before_first_step = 0;  // loading LibTorch and data, initialization, timed step; not in wall_seconds
  double evaluations = 0;        // on development and test images
  double records = 0;            // log lines, image grids, checkpoints other than the first
};

struct RunSummary {
  std::string method;
  std::string command;         // repeats the run, with its number of steps
  Json inherited{};            // CheckpointState::inherited: the run whose weights it started from, or null
  Json encoder{};              // CheckpointState::encoder: published weights, or null
  std::string data;            // dataset, "svhn"
  std::string data_digest;     // SHA-256 over images and labels
  std::string split_digest;    // SHA-256 of the label split
  std::string options_digest;  // SHA-256 of the resolved options
  int64_t recipe = 0;          // see methods/methods.h
  int64_t steps = 0;
  double gflop_per_step = 0;  // mean_step_flop, methods/method.h
  double wall_seconds = 0;    // training time, including the time before a resume
  TimeSpent time_spent;
  std::optional<EvaluationRecord> test{};  // of the averaged final weights
  std::optional<EvaluationRecord> dev{};
  std::vector<std::pair<std::string, double>> losses{};  // last logged values
  int64_t log_lines = 0;                                 // of metrics.jsonl
  std::optional<int64_t> skipped_updates{};              // by --skip-outliers; empty without that option
  std::string precision;                                 // "fp32" or "bf16"
  std::string device;                                    // device/device.h: device_name
  std::vector<std::string> policies{};                   // augmentation policies of the training images: "weak"
};

// The fields above in order, then frgan's version and commit, and the machine. Evaluations are written as
// in metrics.jsonl, {"test_error": ..., "error_low", ...}, or null if there is none.
Json to_json(const RunSummary& summary, const Machine& machine);

// Adds a checksum (io/json_file.h).
void write_run_summary(const std::filesystem::path& path, const RunSummary& summary);
// Whether the file is a summary of a run after `steps` steps; false if it is missing or damaged.
bool has_run_summary(const std::filesystem::path& path, int64_t steps);

}  // namespace frgan

// Starts and resumes training runs, from options to a run folder with checkpoints, log, samples and summary. This
// header includes no LibTorch.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "frgan/core/messages.h"
#include "frgan/core/options.h"
#include "frgan/data/load_watch.h"
#include "frgan/report/progress.h"
#include "frgan/train/run_options.h"
#include "frgan/train/run_request.h"
#include "frgan/train/run_result.h"

namespace frgan {

struct StartOptions {
  std::filesystem::path folder = {};         // of the run, new or empty; empty: runs/DATE-NAME
  std::string name = {};                     // NAME; empty: the method
  std::filesystem::path init_from = {};      // run or checkpoint whose weights the run starts from; empty: new ones
  std::filesystem::path data_root = "data";  // folder in which datasets are searched
  std::vector<std::string> arguments = {};   // of frgan train, recorded in the summary; empty: from the options
  std::vector<std::filesystem::path> inputs = {};  // files that the user named; a run never overwrites them
  bool dry_run = false;                            // only for plan_text: creates no folder; `run` must not be called
  LoadWatch watch = {};                            // of the images of a folder
  double used_seconds = 0;                         // of --time-budget, before this call; a program's start
};

struct ResumeOptions {
  // Declares further options and sets values. Only options that may differ on resume may be set (is_allowed_on_resume).
  std::function<void(OptionSet& options)> change = {};
  std::filesystem::path data_root = "data";  // folder in which datasets are searched
  bool dry_run = false;                      // only for plan_text: does not lock the folder; `run` must not be called
  LoadWatch watch = {};                      // of the images of a folder
  double used_seconds = 0;                   // as in StartOptions
  Messages messages = {};                    // warnings, for example of a corrupt checkpoint or another device
};

// A run that is ready to train. Starting or resuming sets LibTorch's number of threads and makes malloc keep freed
// memory (device/device.h), both for the whole process.
//
//   Training training = Training::start(
//       make_run_request("fr-gan", {{"data", "my-images"}, {"labels", 100}, {"steps", 3000}}), {.folder = "my-run"});
//   std::cout << training.plan_text();
//   const RunResult result = training.run();
class Training {
 public:
  // Loads the data, builds the networks and determines the number of steps. Creates the folder; if the run ends before
  // its first checkpoint, the destructor removes it again. Throws a usage error for invalid options, and an Error for
  // an unusable folder or data.
  static Training start(std::unique_ptr<RunRequest> request, const StartOptions& options = {});

  // Continues a run from its newest intact checkpoint with its own options. Resuming a finished run only evaluates it
  // again. If the end of the run was not completed, it is repeated. Throws an Error if the folder has no run, if
  // another process trains there or if the data changed, and a usage error if an option must not change.
  //
  //   Training training = Training::resume("my-run");
  static Training resume(const std::filesystem::path& folder, const ResumeOptions& options = {});

  Training(Training&& other) noexcept;
  Training& operator=(Training&& other) noexcept;
  ~Training();

  const std::filesystem::path& folder() const;
  const RunOptions& options() const;  // resolved: without kAuto, and with the number of steps unless it has a deadline
  int64_t planned_steps() const;      // of the whole run; with a time budget, it changes while the run trains
  int64_t steps_done() const;         // 0 for a new run

  // Describes the run for the user, several lines: data, label split, steps, expected time, loss weights. Times a step.
  std::string plan_text();

  // Trains until the last step, or until `stop_signal` is not 0; a stopped run can be resumed. Call it once. Throws an
  // Error if a loss or weight is NaN or infinite; the last checkpoint is kept.
  RunResult run(Progress& progress, const std::atomic<int>& stop_signal);
  RunResult run();  // without progress

 private:
  struct Impl;
  explicit Training(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace frgan

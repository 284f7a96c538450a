#include "frgan/plans/plan_execution.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/folder_lock.h"
#include "frgan/io/json_lines.h"
#include "frgan/plans/job_queue.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRunsLockFile = ".lock";  // in the parent folder of the runs

// Monotonic time in seconds.
double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Training writes summary.json last. A folder with a summary but no checkpoints counts as finished: someone copied it
// without them.
bool is_finished(const fs::path& folder, int64_t steps) {
  const fs::path checkpoints = folder / kCheckpointsFolder;
  return has_run_summary(folder / kSummaryFile, steps) &&
         (!has_checkpoints(checkpoints) || fs::exists(checkpoints / checkpoint_name(steps)));
}

// The fraction of a run that is done, from its log. 0 if the log cannot be read; the run itself reports that error.
double share_done(const fs::path& folder, int64_t steps) try {
  if (is_finished(folder, steps)) return 1;
  const fs::path log = folder / kLogFile;
  if (!fs::exists(log)) return 0;
  int64_t step = 0;
  for (const Json& line : read_json_lines(log).objects) step = std::max(step, line.value("step", int64_t{0}));
  return static_cast<double>(step) / static_cast<double>(steps);
} catch (const std::exception&) {
  return 0;
}

// Status line of the plan: how much is done, and the remaining time at the speed so far.
class PlanProgress {
 public:
  PlanProgress(const PlanExecution& execution, const std::vector<PlannedRun>& runs) : execution_(execution) {
    for (const PlannedRun& run : runs) {
      if (shares_.contains(run.name)) continue;  // another row has the same run
      shares_[run.name] =
          execution.state_of(run) == RunState::kDone ? 1 : share_done(execution.folder_of(run), run.steps);
      runs_.push_back(&run);
    }
    done_at_begin_ = tflop_done();
  }

  std::string line(const std::vector<const PlannedRun*>& running, size_t failed) {
    for (const PlannedRun* run : running) shares_[run->name] = share_done(execution_.folder_of(*run), run->steps);
    double all = 0;
    for (const PlannedRun* run : runs_) all += run->tflop;
    const double done = tflop_done();
    if (done < done_at_begin_) {  // a resumed run lost the steps after its checkpoint
      done_at_begin_ = done;
      begin_ = now();
    }
    const double seconds = now() - begin_;
    const auto finished =
        std::count_if(shares_.begin(), shares_.end(), [](const auto& item) { return item.second == 1; });
    std::string text =
        fmt::format("{} of {} runs done, {} running{}, {:.1f} % of {}", finished, runs_.size(), running.size(),
                    failed > 0 ? fmt::format(", {} failed", failed) : "", 100 * done / all, tflop_text(all));
    if (done > done_at_begin_) {
      text += fmt::format(", {} left", duration_text((all - done) * seconds / (done - done_at_begin_)));
    }
    return text;
  }
  void done(const PlannedRun& run) { shares_[run.name] = 1; }

 private:
  double tflop_done() const {
    double done = 0;
    for (const PlannedRun* run : runs_) done += run->tflop * shares_.at(run->name);
    return done;
  }

  const PlanExecution& execution_;
  std::vector<const PlannedRun*> runs_;   // without duplicates
  std::map<std::string, double> shares_;  // fraction done, 0 to 1, by run name
  double begin_ = now();                  // seconds
  double done_at_begin_ = 0;
};

fs::path log_of(const PlanExecution& execution, const PlannedRun& run) {
  return execution.folder_of(run).string() + ".log";
}

// Writes the record of a finished run. Returns the failure instead of throwing, so that other runs continue.
std::optional<FailedRun> write_record(const PlanExecution& execution, const PlannedRun& run) try {
  write_run_record(execution.records, record_of(execution.folder_of(run), run));
  return std::nullopt;
} catch (const std::exception& error) {
  return FailedRun{
      run.name, 0,
      fmt::format("finished, but its record cannot be written: {}; 'frgan report {}' repairs a damaged {}; "
                  "to run it again, delete its folder",
                  error.what(), execution.folder_of(run).string(), kMistakesFile),
      log_of(execution, run)};
}

fs::path record_path(const PlanExecution& execution, const PlannedRun& run) {
  return execution.records / (run.name + ".json");
}

bool has_record(const PlanExecution& execution, const PlannedRun& run) try {
  const fs::path path = record_path(execution, run);
  return fs::exists(path) && read_run_record(path).key == run.key;
} catch (const Error&) {  // damaged
  return false;
}

bool lacks_record(const PlanExecution& execution, const PlannedRun& run) {
  return execution.state_of(run) != RunState::kDone && is_finished(execution.folder_of(run), run.steps);
}

}  // namespace

fs::path PlanExecution::folder_of(const PlannedRun& run) const {
  return runs / run.name;
}

RunState PlanExecution::state_of(const PlannedRun& run) const {
  if (has_record(*this, run)) return RunState::kDone;
  return has_checkpoints(folder_of(run) / kCheckpointsFolder) ? RunState::kBegun : RunState::kNew;
}

std::vector<std::string> PlanExecution::arguments_of(const PlannedRun& run) const {
  std::vector<std::string> arguments = {"train"};
  const fs::path folder = folder_of(run);
  if (has_checkpoints(folder / kCheckpointsFolder)) {
    arguments.push_back("--resume=" + folder.string());
  } else {
    arguments.insert(arguments.end(), run.arguments.begin(), run.arguments.end());
    arguments.push_back("--run=" + folder.string());
  }
  // With 0, a single run adapts its number of threads to other programs on the cores, also if it was begun beside
  // others.
  arguments.push_back(fmt::format("--threads={}", jobs > 1 ? threads : 0));
  arguments.push_back("--device=" + device);
  return arguments;
}

std::vector<std::string> damaged_records(const PlanExecution& execution, const std::vector<PlannedRun>& runs) {
  std::set<std::string> damaged;  // two rows of a plan may share a run
  for (const PlannedRun& run : runs) {
    const fs::path path = record_path(execution, run);
    try {
      if (fs::exists(path)) read_run_record(path);
    } catch (const Error& error) {
      damaged.insert(error.what());
    }
  }
  return {damaged.begin(), damaged.end()};
}

bool lacks_record(const PlanExecution& execution, const std::vector<PlannedRun>& runs) {
  return std::any_of(runs.begin(), runs.end(), [&](const PlannedRun& run) { return lacks_record(execution, run); });
}

std::vector<FailedRun> take_up_finished(const PlanExecution& execution, const std::vector<PlannedRun>& runs) {
  std::vector<FailedRun> failed;
  for (const PlannedRun& run : runs) {
    if (!lacks_record(execution, run)) continue;
    if (auto failure = write_record(execution, run)) failed.push_back(*std::move(failure));
  }
  return failed;
}

std::vector<FailedRun> execute(const PlanExecution& execution, const std::vector<PlannedRun>& runs,
                               const std::function<void(const std::string&)>& say,
                               const std::function<void(const std::string&)>& progress,
                               const std::atomic<int>& stop_signal) {
  ensure_directory(execution.runs);
  const FolderLock lock(execution.runs,
                        {.file = kRunsLockFile,
                         .inherited = true,
                         .use = "started runs in this folder; wait until they end, or choose another one with --runs"});
  std::vector<FailedRun> failed = take_up_finished(execution, runs);
  std::vector<Job> jobs;
  std::vector<const PlannedRun*> run_of_job;
  std::set<std::string> names;  // two rows of a plan may share a run
  for (const PlannedRun& run : runs) {
    if (execution.state_of(run) == RunState::kDone || !names.insert(run.name).second) continue;
    if (is_finished(execution.folder_of(run), run.steps)) continue;  // already in `failed`: no record could be written
    jobs.push_back({run.name, execution.arguments_of(run), log_of(execution, run), {}});
    run_of_job.push_back(&run);
  }
  PlanProgress plan_progress(execution, runs);
  const auto ended = [&](const JobEnd& end) {
    const PlannedRun& run = *run_of_job[end.job];
    if (end.code == 0) {
      if (auto failure = write_record(execution, run)) {
        say(fmt::format("{}: {}", run.name, failure->message));
        failed.push_back(*std::move(failure));
        return;
      }
      plan_progress.done(run);
      const RunRecord record = read_run_record(record_path(execution, run));
      say(fmt::format("{}: {:.2f} % test error", run.name, 100 * record.error()));
      return;
    }
    if (stop_signal != 0) return;  // stopped on request, not failed
    failed.push_back({run.name, end.code, last_line(jobs[end.job].log), jobs[end.job].log});
    say(fmt::format("{}: failed (exit code {}): {}", run.name, end.code, failed.back().message));
  };
  run_jobs(
      jobs, execution.jobs, ended,
      [&](const std::vector<size_t>& running) {
        std::vector<const PlannedRun*> planned;
        planned.reserve(running.size());
        for (const size_t job : running) planned.push_back(run_of_job[job]);
        progress(plan_progress.line(planned, failed.size()));
      },
      stop_signal);
  return failed;
}

}  // namespace frgan

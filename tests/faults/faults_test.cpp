// Faults while a run trains: killed processes, full disks, I/O errors, failing allocations, power failures and damaged
// files. Whatever happens, a resumed run either ends with the weights and the log of an undisturbed run, or refuses.
//
// Each training runs in a process of its own, forked before OpenMP has started threads. FRGAN_FAULTS multiplies the
// numbers of random faults.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../io/temporary_folder.h"
#include "file_faults.h"
#include "frgan/core/run_files.h"
#include "frgan/data/load_dataset.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/io/json_file.h"
#include "frgan/io/json_lines.h"
#include "frgan/train/training.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSteps = 3;

int scale() {
  const char* const text = std::getenv("FRGAN_FAULTS");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

// How a child process ended.
struct End {
  int code = 0;         // 0: the action returned; 1: it threw; 128 + signal
  std::string message;  // of the exception, or all that the training printed
};

class Faults : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // In memory, where syncing takes no time. The simulated power failures do not depend on the file system.
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", /*overwrite=*/1);
    root = std::make_unique<TemporaryFolder>();
    for (int i = 0; i < 6; ++i) {
      for (const char* part : {"train/a", "train/b", "test/a", "test/b"}) {
        const std::string name = part;
        std::vector<uint8_t> pixels(16 * 16);
        for (size_t k = 0; k < pixels.size(); ++k) {
          pixels[k] = static_cast<uint8_t>((k * static_cast<size_t>(i + 3) * 7 + (name.back() == 'a' ? 0 : 120)) % 251);
        }
        const fs::path path = *root / fmt::format("images/{}/{}.png", name, i);
        fs::create_directories(path.parent_path());
        write_file_safely(path, encode_png(pixels, 16, 16, 1));
      }
    }
    const End converted = in_child([] {
      convert_dataset({.data = *root / "images", .image_size = 16, .channels = 1}, "", *root / "data.safetensors");
      return std::string();
    });
    ASSERT_EQ(converted.code, 0) << converted.message;
    fs::create_directory(*root / "reference");
    const End whole = start(*root / "reference");
    ASSERT_EQ(whole.code, 0) << whole.message;
    reference = *root / "reference/run";
  }
  static void TearDownTestSuite() { root.reset(); }

  // Runs the action in a child process. If `kill_after` is given, kills it after that time.
  static End in_child(const std::function<std::string()>& action,
                      std::optional<std::chrono::microseconds> kill_after = {}) {
    const fs::path report = *root / "report";
    fs::remove(report);
    const pid_t child = fork();
    if (child == 0) {
      int code = 0;
      std::string message;
      try {
        message = action();
      } catch (const Error& error) {
        code = 1;
        message = error.what();
      } catch (const std::bad_alloc&) {
        code = 1;
        message = "out of memory";
      } catch (const std::exception& error) {
        code = 2;
        message = error.what();
      }
      set_file_fault({});
      write_file_safely(report, message);
      ::_exit(code);
    }
    if (kill_after) {
      std::this_thread::sleep_for(*kill_after);
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
            fs::exists(report) ? read_file(report) : ""};
  }

  // Trains, and returns what it prints.
  static std::string train(Training training) {
    std::ostringstream text;
    Progress progress({text, [] { return 0; }, [] { return 0.0; }}, kSteps);
    const std::atomic<int> no_signal = 0;
    const bool finished = training.run(progress, no_signal).finished;
    return text.str() + (finished ? "" : "not finished");
  }
  static std::string train_new(const fs::path& folder) {
    return train(Training::start(make_run_request("supervised", {{"data", (*root / "data.safetensors").string()},
                                                                 {"steps", kSteps},
                                                                 {"width", 1.0 / 16},
                                                                 {"batch-size", 4},
                                                                 {"init-images", 8},
                                                                 {"precision", "fp32"},
                                                                 {"device", "cpu"},
                                                                 {"threads", 1},
                                                                 {"log-every", 1},
                                                                 {"evaluate-every", 2},
                                                                 {"keep-checkpoints", 3},
                                                                 {"checkpoint-minutes", 0.0}}),
                                 {.folder = folder / "run"}));
  }
  static std::string resume_run(const fs::path& folder) {
    std::string warnings;
    ResumeOptions options;
    options.messages.warning = [&](const std::string& warning) { warnings += "warning: " + warning + '\n'; };
    const std::string output = train(Training::resume(folder / "run", options));
    return warnings + output;
  }
  static End start(const fs::path& folder, const FileFault& fault = {},
                   std::optional<std::chrono::microseconds> kill_after = {}) {
    const auto action = [&] {
      set_file_fault(fault);
      std::string output = train_new(folder);
      return fault.kind == FaultKind::kNone && !fault.counted.empty() ? std::to_string(counted_file_calls()) : output;
    };
    return in_child(action, kill_after);
  }
  static End resume(const fs::path& folder) {
    return in_child([&] { return resume_run(folder); });
  }

  // The log without times.
  static std::string losses_and_errors(const fs::path& run) {
    std::string text;
    const JsonLines lines = read_json_lines(run / kLogFile);
    for (Json line : lines.objects) {
      line.erase("seconds");
      line.erase("images_per_second");
      text += line.dump() + '\n';
    }
    return text + fmt::format("{} damaged", lines.damaged.size());
  }
  static bool has_reference_weights(const fs::path& run) {
    for (const char* file : {"model.safetensors", "optimizer.safetensors", "average.safetensors"}) {
      const fs::path path = run / kCheckpointsFolder / checkpoint_name(kSteps) / file;
      if (!fs::exists(path)) return false;
      if (read_file(path) != read_file(reference / kCheckpointsFolder / checkpoint_name(kSteps) / file)) return false;
    }
    return true;
  }
  static std::string command_in(const fs::path& run) {
    return parse_json(read_file(run / kSummaryFile), "summary").at("command").get<std::string>();
  }

  // Whatever happened to the run in `folder`, it can be finished, with the results of the undisturbed run.
  static void expect_recovers(const fs::path& folder, const std::string& what) {
    const fs::path run = folder / "run";
    End end;
    if (fs::exists(run / kCheckpointsFolder) && has_checkpoints(run / kCheckpointsFolder)) {
      end = resume(folder);
    } else {
      end = start(folder);  // as the message of --resume says
    }
    ASSERT_EQ(end.code, 0) << what << ": " << end.message;
    EXPECT_TRUE(has_reference_weights(run)) << what;
    EXPECT_EQ(losses_and_errors(run), losses_and_errors(reference)) << what << ": " << end.message;
    EXPECT_EQ(command_in(run), command_in(reference)) << what;
  }

  // The file calls that get a fault: those that write one checkpoint, or with FRGAN_FAULTS all calls of the run.
  struct Calls {
    std::string counted;  // below the folder of the training
    int64_t first, last;
    FileFault fault(FaultKind kind, int64_t at, const fs::path& folder, const fs::path& survivors = {}) const {
      return {kind, at, folder, (folder / counted).string(), survivors};
    }
  };
  static Calls calls() {
    const TemporaryFolder folder;
    const std::string counted = scale() > 1 ? "run" : "run/checkpoints";
    const End end = start(folder.path(), {.counted = (folder / counted).string()});
    EXPECT_EQ(end.code, 0) << end.message;
    const int64_t all = std::atoll(end.message.c_str());
    EXPECT_GT(all, 100);
    if (scale() > 1) return {counted, 1, all};
    // There are four checkpoints: after steps 0 to 3.
    return {counted, all / 2 + 1, all * 3 / 4};
  }

  static inline std::unique_ptr<TemporaryFolder> root;
  static inline fs::path reference;
};

// Suites of their own, so that they run at the same time.
class RandomKills : public Faults {};
class FileCallFaults : public Faults {};
class FailingFileCalls : public Faults {};
class DamagedRunFiles : public Faults {};

TEST_F(RandomKills, RunsRecover) {
  const auto begin = std::chrono::steady_clock::now();
  {
    const TemporaryFolder folder;
    ASSERT_EQ(start(folder.path()).code, 0);
  }
  const std::chrono::duration<double, std::micro> whole = std::chrono::steady_clock::now() - begin;
  std::mt19937 random(1);
  int killed = 0;
  for (int i = 0; i < 200 * scale(); ++i) {
    const TemporaryFolder folder;
    const auto after = std::chrono::microseconds(
        std::uniform_int_distribution<int64_t>(0, static_cast<int64_t>(whole.count()))(random));
    killed += start(folder.path(), {}, after).code == 128 + SIGKILL ? 1 : 0;
    expect_recovers(folder.path(), fmt::format("killed after {} us", after.count()));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(killed, 100 * scale());
}

TEST_F(FileCallFaults, RunsRecoverFromKills) {
  const Calls calls = this->calls();
  for (int64_t at = calls.first; at <= calls.last; ++at) {
    const TemporaryFolder folder;
    EXPECT_EQ(start(folder.path(), calls.fault(FaultKind::kKill, at, folder.path())).code, 128 + SIGKILL);
    expect_recovers(folder.path(), fmt::format("killed at call {}", at));
    if (HasFatalFailure()) return;
  }
}

// A failing call ends the training with a message, or does not matter.
TEST_F(FailingFileCalls, RunsRecoverFromErrors) {
  const Calls calls = this->calls();
  for (const FaultKind kind :
       {FaultKind::kDiskFull, FaultKind::kIoError, FaultKind::kShortWrite, FaultKind::kAllocation}) {
    if (kind == FaultKind::kAllocation && !can_fail_allocations()) continue;
    for (int64_t at = calls.first; at <= calls.last; ++at) {
      const TemporaryFolder folder;
      const std::string what = fmt::format("fault {} at call {}", static_cast<int>(kind), at);
      const End end = start(folder.path(), calls.fault(kind, at, folder.path()));
      ASSERT_LE(end.code, 1) << what << ": " << end.message;
      EXPECT_TRUE(end.code == 0 || !end.message.empty()) << what;
      expect_recovers(folder.path(), what);
      if (HasFatalFailure()) return;
    }
  }
}

// After a power failure, the newest checkpoint or the one before it survives, with the log up to that step.
TEST_F(FileCallFaults, RunsRecoverFromPowerFailures) {
  const Calls calls = this->calls();
  int64_t resumed = 0;
  for (int64_t at = calls.first; at <= calls.last; ++at) {
    const TemporaryFolder folder, disk;
    EXPECT_EQ(start(folder.path(), calls.fault(FaultKind::kPowerCut, at, folder.path(), disk.path())).code,
              128 + SIGKILL);
    // The folder that the killed process left has its newest complete checkpoint; the disk may have the one before.
    const auto newest = newest_whole_checkpoint(folder / "run/checkpoints").newest;
    const auto survivor = newest_whole_checkpoint(disk / "run/checkpoints").newest;
    if (newest && checkpoint_step(*newest) > 0) {
      ASSERT_TRUE(survivor) << "call " << at;
      EXPECT_GE(*checkpoint_step(*survivor), *checkpoint_step(*newest) - 1) << "call " << at;
    }
    resumed += survivor ? 1 : 0;
    expect_recovers(disk.path(), fmt::format("power failure at call {}", at));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(resumed, (calls.last - calls.first) / 2);
}

// Whether a damaged file that only reports and tables read is rejected, or has its content nevertheless.
bool is_detected_or_harmless(const fs::path& file, const fs::path& intact) try {
  const Json found = read_json_object(file), expected = read_json_object(intact);
  return std::ranges::all_of(expected.items(), [&](const Json::Member& member) {
    return found.contains(member.key) && found.at(member.key) == member.value;
  });
} catch (const Error&) {
  return true;
}

// Flips a bit of a file or cuts it, in a run stopped after step 1 or 2, or in a finished run. The run must
// refuse, or end as the undisturbed run. Only the curves may have a gap that is reported.
TEST_F(DamagedRunFiles, AreRepaired) {
  const TemporaryFolder begun, stopped;
  fs::copy(reference, begun / "run", fs::copy_options::recursive);
  for (int step = 2; step <= kSteps; ++step) fs::remove_all(begun / "run/checkpoints" / checkpoint_name(step));
  fs::copy(reference, stopped / "run", fs::copy_options::recursive);
  fs::remove_all(stopped / "run/checkpoints" / checkpoint_name(kSteps));
  std::vector<std::pair<fs::path, fs::path>> files;  // run folder and path in it
  for (const fs::path& run : {begun / "run", stopped / "run", reference}) {
    for (const auto& entry : fs::recursive_directory_iterator(run)) {
      if (entry.is_regular_file() && entry.file_size() > 0) files.emplace_back(run, fs::relative(entry.path(), run));
    }
  }
  std::sort(files.begin(), files.end());
  ASSERT_GT(files.size(), 20U);
  std::mt19937 random(2);
  int repaired = 0;
  for (int i = 0; i < 500 * scale(); ++i) {
    const auto& [run, name] = files[static_cast<size_t>(i) % files.size()];
    const TemporaryFolder folder;
    fs::copy(run, folder / "run", fs::copy_options::recursive);
    const fs::path file = "run" / name;
    std::string bytes = read_file(folder.path() / file);
    const size_t place = random() % bytes.size();
    const bool cut = random() % 5 == 0;
    if (cut) {
      bytes.resize(place);
    } else {
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << random() % 8));
    }
    write_file_safely(folder.path() / file, bytes);
    const std::string what = fmt::format("{} {} at byte {}", file.string(), cut ? "cut" : "changed", place);
    for (const std::string_view read_later : {kMistakesFile, kGatesFile, kPlanFile, kSummaryFile}) {
      if (name != read_later) continue;
      EXPECT_TRUE(is_detected_or_harmless(folder / file, run / name)) << what;
    }
    const End end = resume(folder.path());
    ASSERT_LE(end.code, 1) << what << ": " << end.message;
    if (end.code == 1) {
      EXPECT_THAT(end.message, testing::HasSubstr(folder.path().string())) << what;
      const bool is_only_checkpoint = run == begun / "run" && *name.begin() == kCheckpointsFolder;
      EXPECT_TRUE(is_only_checkpoint) << what << ": " << end.message;
      continue;
    }
    EXPECT_TRUE(has_reference_weights(folder / "run")) << what;
    EXPECT_EQ(command_in(folder / "run"), command_in(reference)) << what;
    if (losses_and_errors(folder / "run") != losses_and_errors(reference)) {
      EXPECT_EQ(file.filename(), kLogFile) << what;
      EXPECT_THAT(end.message, testing::HasSubstr("warning: ")) << what;
      ++repaired;
    }
  }
  EXPECT_GT(repaired, 0);
}

}  // namespace
}  // namespace frgan

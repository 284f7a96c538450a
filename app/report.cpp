// frgan report: writes one HTML page about runs.
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/notes.h"
#include "app/watch_loading.h"
#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/core/json.h"
#include "frgan/core/run_files.h"
#include "frgan/core/version.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"
#include "frgan/report/html_report.h"
#include "frgan/report/run_history.h"
#include "frgan/report/run_images.h"
#include "frgan/settings/config_file.h"
#include "frgan/train/run_diagnosis.h"
#include "frgan/train/run_options.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kReportExamples[] = {
    "report runs/a",
    "report runs/a runs/b -o comparison.html",
};

constexpr Syntax kReportSyntax = {"report",
                                  "RUN...",
                                  "Writes one HTML page about one or more runs: errors, curves, confusions, the worst "
                                  "mistakes, generated images, options and hardware. The page needs no network.",
                                  1,
                                  100,
                                  {},
                                  kReportExamples};

struct ReportOptions {
  std::string output = "report.html";
  std::string data;
  std::string data_dir;
  bool diagnose = true;
  Hardware hardware;
  bool quiet = false;
};

void describe(OptionSet& options, ReportOptions& report) {
  options.group("Page", /*saved=*/false);
  options.add("output", report.output, "HTML file to write.");
  options.group("Runs whose list of mistakes is missing or damaged", /*saved=*/false);
  options.add("diagnose", report.diagnose,
              "Classifies the test images and adds mistakes.json, mistakes.png and gates.json to the run. Needs the "
              "run's data and last checkpoint.");
  options.add("data", report.data,
              "Dataset, folder or .safetensors file, if the data was moved; empty: the data of the run.");
  options.add("data-dir", report.data_dir, "Folder of the dataset's files; empty uses the folder of the run.");
  describe(options, report.hardware);
  add_quiet(options, report.quiet);
}

void add_option(RunHistory& record, const std::string& name, const Json& value) {
  if (may_differ_on_resume(name)) return;
  record.options.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
}

// The options from the newest intact checkpoint, which has a checksum. Without one, those of options.toml.
void read_options(RunHistory& record) try {
  if (const auto newest = newest_whole_checkpoint(record.folder / kCheckpointsFolder).newest) {
    const std::string name = (*newest / kCheckpointStateFile).string();
    const CheckpointState state = checkpoint_state_from_json(read_json_object(name), name);
    for (const auto& [option, value] : state.options.items()) add_option(record, option, value);
  } else if (const fs::path file = record.folder / kOptionsFile; fs::exists(file)) {
    for (const Setting& setting : read_config_file(file)) add_option(record, setting.name, setting.value);
  }
} catch (const Error& error) {
  record.notes.emplace_back(error.what());
}

RunHistory read_run(const fs::path& folder, const ReportOptions& options) {
  RunHistory record = read_run_history(folder);
  if (record.finished && !record.mistakes && options.diagnose) {  // missing or damaged
    try {
      diagnose_run(folder,
                   {.data = options.data,
                    .data_dir = options.data_dir,
                    .root = data_root(),
                    .watch = watch_loading(options.quiet)},
                   options.hardware, printed_messages(options.quiet));
      record = read_run_history(folder);
    } catch (const Error& error) {
      record.notes.push_back(fmt::format("The mistakes are unknown and could not be computed: {}", error.what()));
    }
  }
  read_options(record);
  return record;
}

}  // namespace

int run_report(std::span<const std::string> arguments) {
  // Less than 3 MB, which fits into a mail. The captions and the base64 overhead are estimates.
  constexpr size_t kPageBytes = 2'900'000, kImageBytes = 2'000'000;
  ReportOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kReportSyntax, arguments, set)) return 0;
  const std::vector<std::string> folders = read_arguments(kReportSyntax, arguments, set);
  std::vector<RunHistory> runs;
  for (const std::string& folder : folders) {
    RunHistory run = read_run(folder, options);
    if (std::any_of(runs.begin(), runs.end(), [&](const RunHistory& other) { return other.folder == run.folder; })) {
      throw usage_error(fmt::format("run {} is given twice", folder));
    }
    runs.push_back(std::move(run));
  }
  name_runs(runs);
  const ReportFrame frame{fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(std::time(nullptr))), std::string(version())};
  const size_t text = html_report(runs, frame).size();
  read_images(runs, std::min(kImageBytes, kPageBytes - std::min(kPageBytes, text)));
  for (const RunHistory& run : runs) {
    std::vector<std::string> notes;
    for (const std::string& note : run.notes) notes.push_back(fmt::format("{}: {}", run.name, note));
    print_notes(notes, options.quiet);
  }
  const std::string page = html_report(runs, frame);
  write_file_safely(options.output, page);
  print_output("report      {} ({:.1f} MB)\n", one_line(options.output), static_cast<double>(page.size()) / 1e6);
  return 0;
}

}  // namespace frgan

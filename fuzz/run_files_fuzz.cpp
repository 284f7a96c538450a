// Fuzzes the readers of the JSON files that runs and plans write. The first byte of the input chooses the kind of file,
// the others are its content.
#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/run_files.h"
#include "frgan/data/data_options.h"
#include "frgan/plans/run_record.h"
#include "frgan/plans/scored_set.h"
#include "frgan/report/run_history.h"
#include "only_errors.h"

namespace frgan {

// Part of a source file that needs LibTorch. The readers do not call it.
void describe(OptionSet& /*options*/, DataOptions& /*data*/) {
  std::abort();
}

namespace {

namespace fs = std::filesystem;

// An empty folder in memory, if there is one. It is removed when the fuzzer ends.
class Folder {
 public:
  Folder() {
    std::string name = std::string(fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") + "/frgan-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }
  fs::path write(std::string_view name, std::string_view text) const {
    const fs::path path = path_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

 private:
  fs::path path_;
};

// A file of a run folder. read_run_history turns errors into notes.
void read_in_run_folder(const Folder& folder, std::string_view name, std::string_view text) {
  folder.write(kLogFile, "");
  const fs::path file = folder.write(name, text);
  const RunHistory run = read_run_history(folder.path());
  for (const std::string& note : run.notes) {
    if (note.find('\n') != std::string::npos) std::abort();
  }
  if (run.mistakes && score(*run.mistakes).classes.size() != run.mistakes->class_names.size()) std::abort();
  if (name != kLogFile) fs::remove(file);
}

void read_file_of_kind(size_t kind, std::string_view text) {
  static const Folder folder;
  constexpr std::array kRunFiles = {kLogFile, kSummaryFile, kLabelsFile, kMistakesFile, kGatesFile};
  if (kind < kRunFiles.size()) return read_in_run_folder(folder, kRunFiles[kind], text);
  if (kind == 5) {
    checkpoint_state_from_json(parse_json(text, "state.json"), "state.json");
  } else if (kind == 6) {
    read_run_record(folder.write("record.json", text)).median_error();
  } else {
    read_scored_set(folder.write("scored.json", text));
  }
}

}  // namespace
}  // namespace frgan

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kKinds = 8;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  frgan::expect_only_errors([&] { frgan::read_file_of_kind(data[0] % kKinds, text.substr(1)); });
  return 0;
}

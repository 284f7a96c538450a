// Fuzzes the readers of the files that runs and plans write or use. The first byte of the input chooses the kind of
// file, the others are its content.
#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/run_files.h"
#include "frgan/data/data_options.h"
#include "frgan/data/image_hashes_file.h"
#include "frgan/data/label_split_file.h"
#include "frgan/data/labels_table.h"
#include "frgan/data/noise_matrix.h"
#include "frgan/io/png_header.h"
#include "frgan/plans/run_record.h"
#include "frgan/plans/scored_set.h"
#include "frgan/report/run_history.h"
#include "frgan/report/tensorboard.h"
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

// labels.json, as a run reads it. A split that was read and written is the same split.
void read_labels(std::string_view text) {
  static const std::array<int64_t, 8> labels = {0, 1, 2, 0, 1, -1, 2, 0};
  static const std::vector<std::string> names = {"ant", "bee", "cat"};
  const KnownLabels data{labels, names, "digest", "data"};
  const LabelSplit split = label_split_from_json(parse_json(text, "labels.json"), data, "labels.json");
  if (label_split_from_json(label_split_json(split), data, "again").digest != split.digest) std::abort();
}

// The same for a split of files: the digest of file i is 64 times the digit i.
void read_labels_of_files(std::string_view text) {
  static const std::array<int64_t, 8> labels = {0, 1, 2, 0, 1, -1, 2, 0};
  static const std::vector<std::string> names = {"ant", "bee", "cat"};
  static const std::vector<std::string> digests = [] {
    std::vector<std::string> all;
    for (char digit = '0'; digit < '8'; ++digit) all.emplace_back(64, digit);
    return all;
  }();
  const KnownLabels data{labels, names, "digest", "data", digests};
  const LabelSplit split = label_split_from_json(parse_json(text, "labels.json"), data, "labels.json");
  if (label_split_from_json(label_split_json(split), data, "again").digest != split.digest) std::abort();
}

void read_image_hashes(std::string_view text) {
  const DatasetHashes images = image_hashes_from_json(parse_json(text, "images.json"), "images.json");
  difference(images, DatasetHashes{{"00000000", {"train/ant/1.png"}}, {}});
  const Json again = image_hashes_json(images);
  if (image_hashes_json(image_hashes_from_json(again, "again")) != again) std::abort();
}

// A TensorBoard file of a run that continues after step 5. Events of later steps are removed.
void read_event_file(const Folder& folder, std::string_view text) {
  const fs::path run = folder.path() / "tensorboard";
  fs::create_directory(run);
  folder.write("tensorboard/events.out.tfevents.1.host.1.frgan", text);
  TensorBoardLog(run, 5, Json::object());
  fs::remove_all(run);
}

void read_file_of_kind(size_t kind, std::string_view text) {
  static const Folder folder;
  constexpr std::array kRunFiles = {kLogFile, kSummaryFile, kLabelsFile, kMistakesFile, kGatesFile};
  if (kind < kRunFiles.size()) return read_in_run_folder(folder, kRunFiles[kind], text);
  if (kind == 5) {
    checkpoint_state_from_json(parse_json(text, "state.json"), "state.json");
  } else if (kind == 6) {
    read_run_record(folder.write("record.json", text)).median_error();
  } else if (kind == 7) {
    read_scored_set(folder.write("scored.json", text));
  } else if (kind == 8) {
    read_labels(text);
  } else if (kind == 9) {
    read_image_hashes(text);
  } else if (kind == 10) {
    read_event_file(folder, text);
  } else if (kind == 11) {
    noise_matrix("matrix:" + folder.write("matrix", text).string(), 3);
  } else if (kind == 13) {
    read_labels_of_files(text);
  } else if (kind == 14) {
    labels_table_text(read_labels_table(folder.write("labels.csv", text)));
  } else if (kind == 15) {
    read_in_run_folder(folder, kQualityFile, text);
  } else {
    read_png_header(std::as_bytes(std::span(text)), "grid.png");
  }
}

}  // namespace
}  // namespace frgan

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kKinds = 16;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t kind = static_cast<uint8_t>(data[0] - '0') % kKinds;
  frgan::expect_only_errors([&] { frgan::read_file_of_kind(kind, text.substr(1)); });
  return 0;
}

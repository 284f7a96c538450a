// frgan predict: classifies image files.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/notes.h"
#include "app/stop_signal.h"
#include "frgan/classifier/classifier.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/core/json.h"
#include "frgan/core/stop_check.h"
#include "frgan/io/csv.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPredictExamples[] = {
    "predict runs/a new/*.jpg",
    "predict runs/a folder-of-images --format json -o predictions.json",
};

constexpr Syntax kPredictSyntax = {
    "predict",
    "CHECKPOINT IMAGE...",
    "Prints the class and the probabilities of image files (PNG, JPEG, WebP). A folder stands "
    "for all images in and below it. Unreadable files are named on stderr; the exit code is "
    "then 1.",
    2,
    SIZE_MAX,
    {},
    kPredictExamples};

enum class PredictionFormat { kCsv, kJson };

struct PredictOptions {
  PredictionFormat format = PredictionFormat::kCsv;
  std::string output;
  Hardware hardware;
  bool quiet = false;
};

void describe(OptionSet& options, PredictOptions& predict) {
  options.group("Output", /*saved=*/false);
  options.add("format", predict.format,
              "csv: file, label, its probability, and one column per class; json: a list of objects. In CSV, a text "
              "that begins "
              "with =, +, - or @ is prefixed with an apostrophe, so that spreadsheets do not evaluate it as a formula.",
              Words<PredictionFormat>{"csv", "json"});
  options.add("output", predict.output, "File to write; empty writes to stdout.");
  describe(options, predict.hardware);
  add_quiet(options, predict.quiet);
}

// The images in and below a folder, sorted by name. Names that begin with a dot are skipped.
std::vector<fs::path> images_below(const fs::path& folder) try {
  std::vector<fs::path> paths;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->path().filename().native().starts_with('.')) {
      if (entry->is_directory()) entry.disable_recursion_pending();
    } else if (is_image_name(entry->path()) && !entry->is_directory()) {
      paths.push_back(entry->path());
    }
  }
  if (paths.empty()) throw Error(fmt::format("{}: no .png, .jpg, .jpeg or .webp file in this folder", folder.string()));
  std::sort(paths.begin(), paths.end());
  return paths;
} catch (const fs::filesystem_error& error) {
  throw Error(fmt::format("{}: cannot read: {}", error.path1().string(), error.code().message()));
}

std::vector<fs::path> image_paths(std::span<const std::string> words) {
  std::vector<fs::path> paths;
  for (const std::string& word : words) {
    if (fs::is_directory(word)) {
      const std::vector<fs::path> below = images_below(word);
      paths.insert(paths.end(), below.begin(), below.end());
    } else {
      paths.emplace_back(word);
    }
  }
  return paths;
}

// Writes predictions one by one to stdout, or to a file that appears only when complete.
class PredictionWriter {
 public:
  PredictionWriter(const PredictOptions& options, const std::vector<std::string>& names)
      : json_(options.format == PredictionFormat::kJson), names_(names) {
    if (!options.output.empty()) file_ = std::make_unique<SafeFile>(options.output);
    if (json_) return;
    std::string header = "file,label,probability";
    for (const std::string& name : names_) header += "," + csv_text("p(" + name + ")");
    put(header + "\n");
  }

  void write(const FilePrediction& prediction) {
    put(json_ ? json_object(prediction) : csv_line(prediction));
    first_ = false;
  }

  void finish() {
    if (json_) put(first_ ? "[]\n" : "\n]\n");
    if (file_ != nullptr) file_->commit();
  }

 private:
  std::string csv_line(const FilePrediction& prediction) const {
    std::string line = fmt::format("{},{},{:.6f}", csv_text(prediction.path.string()),
                                   csv_text(names_[prediction.label]), prediction.probabilities[prediction.label]);
    for (const float probability : prediction.probabilities) line += fmt::format(",{:.6f}", probability);
    return line + "\n";
  }

  std::string json_object(const FilePrediction& prediction) const {
    Json probabilities;
    for (size_t k = 0; k < names_.size(); ++k) probabilities[names_[k]] = prediction.probabilities[k];
    const Json object = {{"file", prediction.path.string()},
                         {"label", names_[prediction.label]},
                         {"probability", prediction.probabilities[prediction.label]},
                         {"probabilities", probabilities}};
    return (first_ ? "[\n" : ",\n") + json_text(object);
  }

  void put(std::string_view text) {
    if (file_ != nullptr) {
      file_->write(bytes_of(text));
    } else {
      print_output("{}", text);
    }
  }

  bool json_;
  const std::vector<std::string>& names_;
  std::unique_ptr<SafeFile> file_;
  bool first_ = true;
};

}  // namespace

int run_predict(std::span<const std::string> arguments) {
  PredictOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kPredictSyntax, arguments, set)) return 0;
  const std::vector<std::string> words = read_arguments(kPredictSyntax, arguments, set);
  const std::vector<fs::path> paths = image_paths(std::span(words).subspan(1));
  const Classifier classifier = Classifier::load(words.front(), options.hardware, printed_messages(options.quiet));

  if (!options.output.empty()) stop_on_signals("\nstopping\n");  // so that the unfinished file is removed
  PredictionWriter writer(options, classifier.class_names());
  size_t unreadable = 0;
  classifier.classify_files(paths, [&](const FilePrediction& prediction) {
    throw_if_stopped([] { return stop_signal != 0; }, "images were classified");
    if (prediction.error.empty()) {
      writer.write(prediction);
    } else {
      print_message("{}\n", one_line(prediction.error));
      ++unreadable;
    }
  });
  writer.finish();
  if (unreadable > 0) print_message("frgan: {} of {} images are unreadable\n", unreadable, paths.size());
  return unreadable > 0 ? 1 : 0;
}

}  // namespace frgan

// frgan predict: classifies image files.
#include <algorithm>
#include <cstdlib>
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
#include "frgan/metrics/confidence.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPredictExamples[] = {
    "predict runs/a new/*.jpg",
    "predict runs/a folder-of-images --format json -o predictions.json",
    "predict runs/a new/*.jpg --max-error 5%",
};

constexpr Syntax kPredictSyntax = {
    "predict",
    "CHECKPOINT IMAGE...",
    "Prints the class and the probabilities of image files (PNG, JPEG, WebP). A folder stands "
    "for all images in and below it. Unreadable files have an error instead of a class, also "
    "on stderr; the exit code is then 1.",
    2,
    SIZE_MAX,
    {},
    kPredictExamples};

enum class PredictionFormat { kCsv, kJson };

struct PredictOptions {
  PredictionFormat format = PredictionFormat::kCsv;
  std::string output;
  double threshold = 0;
  std::string max_error;
  Hardware hardware;
  bool quiet = false;
};

void describe(OptionSet& options, PredictOptions& predict) {
  options.group("Unknown images", /*saved=*/false);
  options.add("threshold", predict.threshold,
              "Images whose probability is lower get the label 'unknown'. 0 gives every image a class.",
              Range<double>{0, 1});
  options.add("max-error", predict.max_error,
              "Chooses a low threshold at which the images with a class have at most this error, with 95 % confidence: "
              "5% or 0.05. The run must have enough images that training did not use (--dev-images).");
  options.group("Output", /*saved=*/false);
  options.add("format", predict.format,
              "csv: file, label, its probability, one column per class, and the error of an unreadable file; json: a "
              "list of objects. In CSV, a text that begins with =, +, - or @ is prefixed with an apostrophe, so that "
              "spreadsheets do not evaluate it as a formula.",
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

constexpr std::string_view kUnknown = "unknown";

// "5%" or "0.05" -> 0.05.
double parse_share(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string_view rest(end);
  const double share = rest == "%" ? number / 100 : number;
  if (end == text.c_str() || (!rest.empty() && rest != "%") || !(share > 0 && share < 1)) {
    throw usage_error(fmt::format("--max-error: invalid share '{}'; use e.g. 5% or 0.05", text));
  }
  return share;
}

// The threshold that --max-error chooses. Throws an Error if the held-out predictions do not allow it.
double certified_threshold(const Calibration& calibration, double most) {
  const auto found = certified_threshold(calibration.held_out, most);
  const double percent = 100 * most;
  if (!found) {
    throw Error(fmt::format(
        "cannot certify an error of at most {:g} % with 95 % confidence: at least {} images that training did not use "
        "must be without an error; {}; use more development images (--dev-images), or --threshold",
        percent, images_to_certify(most),
        calibration.is_fitted()
            ? fmt::format("the run has {}, {} of them wrong", calibration.held_out.size(),
                          std::ranges::count(calibration.held_out, false, &ScoredPrediction::correct))
            : "the run has none"));
  }
  print_message(
      "threshold {:.4f}: {} of {} {} reach it, {} of them wrong; the error is at most {:.2f} % with 95 % "
      "confidence\n",
      found->threshold, found->images, calibration.held_out.size(), calibration.images, found->wrong,
      100 * found->bound);
  return found->threshold;
}

// The lowest probability of an image that gets a class.
double lowest_probability(const PredictOptions& options, const Classifier& classifier) {
  const bool chooses = !options.max_error.empty();
  if (chooses && options.threshold > 0) {
    throw usage_error("--threshold and --max-error cannot be combined; give one of them");
  }
  const double threshold =
      chooses ? certified_threshold(classifier.calibration(), parse_share(options.max_error)) : options.threshold;
  if (threshold > 0 && std::ranges::find(classifier.class_names(), kUnknown) != classifier.class_names().end()) {
    throw usage_error("the classifier has a class 'unknown', which --threshold and --max-error would hide");
  }
  return threshold;
}

// Writes predictions one by one to stdout, or to a file that appears only when complete.
class PredictionWriter {
 public:
  // Images whose probability is below `threshold` get the label "unknown".
  PredictionWriter(const PredictOptions& options, const std::vector<std::string>& names, double threshold)
      : json_(options.format == PredictionFormat::kJson), names_(names), threshold_(threshold) {
    if (!options.output.empty()) file_ = std::make_unique<SafeFile>(options.output);
    if (json_) return;
    std::string header = "file,label,probability";
    for (const std::string& name : names_) header += "," + csv_text("p(" + name + ")");
    put(header + ",error\n");
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
  std::string label(const FilePrediction& prediction) const {
    const bool is_known = prediction.probabilities[prediction.label] >= static_cast<float>(threshold_);
    return is_known ? names_[prediction.label] : std::string(kUnknown);
  }

  std::string csv_line(const FilePrediction& prediction) const {
    if (!prediction.error.empty()) {
      return fmt::format("{},,{:,>{}}{}\n", csv_text(prediction.path.string()), "", names_.size() + 1,
                         csv_text(prediction.error));
    }
    std::string line = fmt::format("{},{},{:.6f}", csv_text(prediction.path.string()), csv_text(label(prediction)),
                                   prediction.probabilities[prediction.label]);
    for (const float probability : prediction.probabilities) line += fmt::format(",{:.6f}", probability);
    return line + ",\n";
  }

  std::string json_object(const FilePrediction& prediction) const {
    Json object = {{"file", prediction.path.string()}};
    if (!prediction.error.empty()) {
      object.update({{"label", Json()}, {"error", prediction.error}});
    } else {
      Json probabilities;
      for (size_t k = 0; k < names_.size(); ++k) probabilities[names_[k]] = prediction.probabilities[k];
      object.update({{"label", label(prediction)},
                     {"probability", prediction.probabilities[prediction.label]},
                     {"probabilities", probabilities}});
    }
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
  double threshold_;
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

  const double threshold = lowest_probability(options, classifier);
  if (!options.output.empty()) stop_on_signals("\nstopping\n");  // so that the unfinished file is removed
  PredictionWriter writer(options, classifier.class_names(), threshold);
  size_t unreadable = 0;
  classifier.classify_files(paths, [&](const FilePrediction& prediction) {
    throw_if_stopped([] { return stop_signal != 0; }, "images were classified");
    writer.write(prediction);
    if (prediction.error.empty()) return;
    print_message("{}\n", one_line(prediction.error));
    ++unreadable;
  });
  writer.finish();
  if (unreadable > 0) print_message("frgan: {} of {} images are unreadable\n", unreadable, paths.size());
  return unreadable > 0 ? 1 : 0;
}

}  // namespace frgan

// frgan evaluate: measures the error of a trained network on labeled images.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/notes.h"
#include "app/stop_signal.h"
#include "app/watch_loading.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/io/csv.h"
#include "frgan/io/files.h"
#include "frgan/metrics/run_evaluation.h"

namespace frgan {
namespace {

constexpr std::string_view kEvaluateExamples[] = {
    "evaluate runs/a",
    "evaluate runs/a --compare runs/b",
    "evaluate runs/a new-images --predictions predictions.csv",
};

constexpr Syntax kEvaluateSyntax = {
    "evaluate",
    "CHECKPOINT [DATASET]",
    "Measures the error of a run, or of one of its checkpoints, on labeled images. Prints the "
    "error with its 95 % interval (Wilson), the error of each class and the confusion matrix. DATASET is short for "
    "--data DATASET. Of an image folder, only DATASET/test/CLASS/* is read, or DATASET/CLASS/* if there is no "
    "test/. Unreadable images and images of unknown classes are counted separately.",
    1,
    2,
    {},
    kEvaluateExamples};

struct EvaluateOptions {
  std::string data;
  std::string data_dir;
  EvaluatedImages on = EvaluatedImages::kTest;
  std::string compare;
  std::string unknown;
  std::string predictions;
  bool json = false;
  Hardware hardware;
  bool quiet = false;
};

void describe(OptionSet& options, EvaluateOptions& evaluate) {
  options.group("Images", /*saved=*/false);
  options.add("data", evaluate.data,
              "Dataset, folder or .safetensors file, as for train; empty uses the data of the run. A folder needs no "
              "training images.");
  options.add("data-dir", evaluate.data_dir, "Folder of the dataset's files; empty uses the folder of the run.");
  options.add("on", evaluate.on, "Test images, or the development images that the run held out (--dev-images).",
              Words<EvaluatedImages>{"test", "dev"});
  options.add("unknown", evaluate.unknown,
              "Folder with images of other classes; shows how well each score separates them from the others (AUROC).");
  options.group("Output", /*saved=*/false);
  options.add("compare", evaluate.compare,
              "A second run or checkpoint; McNemar's test shows whether the two differ on these images.");
  options.add("predictions", evaluate.predictions,
              "CSV file to write: label and prediction of each image. The file of each image is named if the data is "
              "an image folder; an unreadable image has no prediction, but an error. Texts are escaped as in the CSV "
              "of predict.");
  options.add("json", evaluate.json, "Prints the result as JSON.");
  describe(options, evaluate.hardware);
  add_quiet(options, evaluate.quiet);
}

std::string predictions_text(const RunEvaluation& found) {
  std::string text = "image,file,label,prediction,probability,error\n";
  const auto class_name = [&](int64_t label) { return csv_text(found.class_names[static_cast<size_t>(label)]); };
  for (size_t i = 0; i < found.labels.size(); ++i) {
    text += fmt::format("{},{},{},{},{:.6f},\n", i, found.files.empty() ? "" : csv_text(found.files[i]),
                        class_name(found.labels[i]), class_name(found.predictions[i]), found.probabilities[i]);
  }
  for (const UnreadableImage& image : found.unreadable) {
    text += fmt::format(",{},{},,,{}\n", csv_text(image.file), class_name(image.label), csv_text(image.error));
  }
  return text;
}

// Images that are not in the error.
void print_uncounted(const RunEvaluation& found) {
  if (!found.unreadable.empty()) {
    print_output("unreadable  {}, not in the error\n", counted(std::ssize(found.unreadable), "image"));
  }
  if (!found.unknown_classes.empty()) {
    print_output("unknown     {}, not in the error\n", one_line(unknown_classes_text(found.unknown_classes)));
  }
}

// "7.20 % (95 % interval 6.52 to 7.95 %)"
std::string percent(const ErrorCount& count, std::string_view interval_name = "95 % interval ") {
  if (count.images == 0) return "-";
  const Interval interval = count.interval();
  return fmt::format("{:.2f} % ({}{:.2f} to {:.2f} %)", 100 * count.error(), interval_name, 100 * interval.low,
                     100 * interval.high);
}

void print_confusion(const Classification& result, const std::vector<std::string>& names) {
  constexpr size_t kWidestTable = 20;  // classes
  if (names.size() > kWidestTable) {
    print_output("\n{} classes: use --json for the confusion matrix.\n", names.size());
    return;
  }
  print_output("\nConfusion matrix (rows: labels, columns: predictions)\n      ");
  for (size_t k = 0; k < names.size(); ++k) print_output(" {:>5}", k);
  print_output("\n");
  for (size_t k = 0; k < names.size(); ++k) {
    print_output("{:>6}", k);
    for (const int64_t count : result.confusion[k]) print_output(" {:>5}", count);
    print_output("  {}\n", one_line(names[k]));
  }
}

void print_json(const RunEvaluation& found, EvaluatedImages on) {
  Json json = {{"checkpoint", found.checkpoint.string()},
               {"method", found.method},
               {"step", found.step},
               {"data", found.data},
               {"on", name_of(on)},
               {"precision", precision_name(found.precision)},
               {"device", found.device}};
  json.update(to_json(found.result, found.class_names));
  json["quality"] = to_json(found.quality);
  if (!found.unknown_scores.empty()) json["unknown"] = {{"images", found.unknown_images}};
  for (const UnknownScore& score : found.unknown_scores) json["unknown"][score.name] = score.auroc;
  json["unreadable"] = found.unreadable.size();
  json["unknown_classes"] = Json::array();
  for (const UnknownClass& other : found.unknown_classes) {
    json["unknown_classes"].push_back({{"name", other.name}, {"images", other.images}});
  }
  if (const auto& other = found.comparison) {
    const ErrorCount& count = other->result.all;
    json["compare"] = {{"checkpoint", other->checkpoint.string()},
                       {"wrong", count.wrong},
                       {"error", count.error()},
                       {"error_low", count.interval().low},
                       {"error_high", count.interval().high},
                       {"only_first_wrong", other->test.only_first_wrong},
                       {"only_second_wrong", other->test.only_second_wrong},
                       {"mcnemar_p", other->test.p_value}};
  }
  print_output("{}\n", json_text(json, 2));
}

void print_text(const RunEvaluation& found, EvaluatedImages on) {
  const Classification& result = found.result;
  print_output("checkpoint  {} ({}, step {})\n", one_line(found.checkpoint.string()), one_line(found.method),
               found.step);
  print_output("images      {} {} images of {}\n", result.all.images, name_of(on), one_line(found.data));
  print_uncounted(found);
  print_output("wrong       {}\n", result.all.wrong);
  print_output("error       {}\n", percent(result.all));
  print_output("{}\n", quality_text(found.quality));
  for (const UnknownScore& score : found.unknown_scores)
    print_output("{:<18} AUROC {:.3f} against {} images of other classes\n", score.name, score.auroc,
                 found.unknown_images);
  if (!found.unknown_scores.empty()) print_output("\n");
  print_output("{:>6} {:>8}  {:<28} name\n", "class", "images", "error (95 % interval)");
  for (size_t k = 0; k < result.classes.size(); ++k) {
    const ErrorCount& count = result.classes[k];
    print_output("{:>6} {:>8}  {:<28} {}\n", k, count.images, percent(count, ""), one_line(found.class_names[k]));
  }
  print_confusion(result, found.class_names);
  if (const auto& other = found.comparison) {
    print_output("\ncompared    {}\nerror       {}\n", one_line(other->checkpoint.string()),
                 percent(other->result.all));
    print_output("wrong       {} by the first only, {} by the second only\n", other->test.only_first_wrong,
                 other->test.only_second_wrong);
    print_output("McNemar     p = {:.3g} (exact, two-sided)\n", other->test.p_value);
  }
}

}  // namespace

int run_evaluate(std::span<const std::string> arguments) {
  EvaluateOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kEvaluateSyntax, arguments, set)) return 0;
  const std::vector<std::string> words = read_arguments(kEvaluateSyntax, arguments, set);
  const std::string& checkpoint = words.front();
  if (words.size() > 1) {
    if (!options.data.empty()) throw usage_error("DATASET and --data: give one of them");
    options.data = words.back();
  }
  std::optional<SafeFile> predictions_file;  // before the work, so that an unusable path fails at once
  if (!options.predictions.empty()) {
    stop_on_signals("\nstopping\n");  // so that the unfinished file is removed
    predictions_file.emplace(options.predictions);
  }
  const LoadWatch watch = watch_loading(options.quiet);
  const RunEvaluation found = evaluate_run({.checkpoint = checkpoint,
                                            .data = {options.data, options.data_dir, data_root(), watch},
                                            .on = options.on,
                                            .compare = options.compare,
                                            .unknown = options.unknown,
                                            .hardware = options.hardware},
                                           printed_messages(options.quiet));
  if (predictions_file) {
    predictions_file->write(bytes_of(predictions_text(found)));
    predictions_file->commit();
  }
  options.json ? print_json(found, options.on) : print_text(found, options.on);
  return 0;
}

}  // namespace frgan

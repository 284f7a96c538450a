// frgan evaluate: measures the error of a trained network on labeled images.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/inference.h"
#include "app/notes.h"
#include "frgan/classifier/classifier.h"
#include "frgan/core/error.h"
#include "frgan/data/label_split.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/device.h"
#include "frgan/io/csv.h"
#include "frgan/io/files.h"
#include "frgan/metrics/classification.h"
#include "frgan/metrics/evaluation.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExamples[] = {
    "evaluate runs/a",
    "evaluate runs/a --compare runs/b",
    "evaluate runs/a --data my-images --predictions predictions.csv",
};

constexpr Syntax kSyntax = {"evaluate",
                            "CHECKPOINT",
                            "Measures the error of a run, or of one of its checkpoints, on labeled images. Prints the "
                            "error with its 95 % interval (Wilson), the error of each class and the confusion matrix.",
                            1,
                            1,
                            {},
                            kExamples};

struct EvaluateOptions {
  std::string data;
  std::string data_dir;
  std::string on = "test";
  std::string compare;
  std::string predictions;
  bool json = false;
  InferenceOptions inference;
};

void describe(OptionSet& options, EvaluateOptions& evaluate) {
  options.group("Images", /*saved=*/false);
  options.add("data", evaluate.data,
              "Dataset, folder or .safetensors file, as for train; empty uses the data of the run.");
  options.add("data-dir", evaluate.data_dir, "Folder of the dataset's files; empty uses the folder of the run.");
  options.add("on", evaluate.on, "Test images, or the development images that the run held out (--dev-images).",
              Choices{"test", "dev"});
  options.group("Output", /*saved=*/false);
  options.add("compare", evaluate.compare,
              "A second run or checkpoint; McNemar's test shows whether the two differ on these images.");
  options.add("predictions", evaluate.predictions, "CSV file to write: label and prediction of each image.");
  options.add("json", evaluate.json, "Prints the result as JSON.");
  describe(options, evaluate.inference);
}

// The images to evaluate on. Their labels are classes of the network.
struct Images {
  std::string source;
  ImageSet set;
};

Images load_images(const EvaluateOptions& options, const Checkpoint& checkpoint) {
  const CheckpointState& state = checkpoint.state;
  const Dataset data = load_dataset(data_options(options.data, options.data_dir, state), data_root());
  print_notes(data.notes, options.inference.quiet);
  check_classes(data, state.class_names);
  if (options.on == "test") {
    if (data.test.size() == 0) {
      throw Error(fmt::format(
          "{}: no test images; name other data with --data, or use the development images with --on dev", data.source));
    }
    if (data.digest != state.data_digest) {
      print_notes({"the network was trained on other data"}, options.inference.quiet);
    }
    return {data.source, data.test};
  }
  const LabelSplit split = label_split_from_json(state.label_split, data, checkpoint.path.string());
  if (split.dev.empty()) {
    throw Error(fmt::format("{}: the run held out no development images (--dev-images)", checkpoint.path.string()));
  }
  return {data.source, data.train.rows(split.dev)};
}

Classifier load_classifier(const Checkpoint& checkpoint, const Inference& inference) {
  return Classifier::from(checkpoint, inference.device, inference.precision);
}

std::string predictions_text(const Images& images, const at::Tensor& probabilities,
                             const std::vector<std::string>& names) {
  const std::vector<int64_t> predictions = most_probable(probabilities);
  const std::span<const int64_t> labels = values_of(images.set.labels);
  std::string text = "image,label,prediction,probability\n";
  for (size_t i = 0; i < predictions.size(); ++i) {
    const auto label = static_cast<size_t>(labels[i]), prediction = static_cast<size_t>(predictions[i]);
    text += fmt::format("{},{},{},{:.6f}\n", i, csv_field(names[label]), csv_field(names[prediction]),
                        probabilities[static_cast<int64_t>(i)][predictions[i]].item<float>());
  }
  return text;
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
    fmt::print("\n{} classes: use --json for the confusion matrix.\n", names.size());
    return;
  }
  fmt::print("\nConfusion matrix (rows: labels, columns: predictions)\n      ");
  for (size_t k = 0; k < names.size(); ++k) fmt::print(" {:>5}", k);
  fmt::print("\n");
  for (size_t k = 0; k < names.size(); ++k) {
    fmt::print("{:>6}", k);
    for (const int64_t count : result.confusion[k]) fmt::print(" {:>5}", count);
    fmt::print("  {}\n", names[k]);
  }
}

// The result, for text and JSON.
struct EvaluationReport {
  const Checkpoint& checkpoint;
  const Images& images;
  const std::string& on;
  const Inference& inference;
  Classification result;
  struct Comparison {
    fs::path checkpoint;
    Classification result;
    McNemarTest test;
  };
  std::optional<Comparison> comparison;
};

void print_json(const EvaluationReport& report) {
  const CheckpointState& state = report.checkpoint.state;
  Json json = {{"checkpoint", report.checkpoint.path.string()},
               {"method", state.method},
               {"step", state.step},
               {"data", report.images.source},
               {"on", report.on},
               {"precision", report.inference.precision_name},
               {"device", device_name(report.inference.device)}};
  json.update(to_json(report.result, state.class_names));
  if (const auto& other = report.comparison) {
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
  fmt::print("{}\n", json.dump(2));
}

void print_text(const EvaluationReport& report) {
  const CheckpointState& state = report.checkpoint.state;
  const Classification& result = report.result;
  fmt::print("checkpoint  {} ({}, step {})\n", report.checkpoint.path.string(), state.method, state.step);
  fmt::print("images      {} {} images of {}\n", result.all.images, report.on, report.images.source);
  fmt::print("wrong       {}\n", result.all.wrong);
  fmt::print("error       {}\n\n", percent(result.all));
  fmt::print("{:>6} {:>8}  {:<28} name\n", "class", "images", "error (95 % interval)");
  for (size_t k = 0; k < result.classes.size(); ++k) {
    const ErrorCount& count = result.classes[k];
    fmt::print("{:>6} {:>8}  {:<28} {}\n", k, count.images, percent(count, ""), state.class_names[k]);
  }
  print_confusion(result, state.class_names);
  if (const auto& other = report.comparison) {
    fmt::print("\ncompared    {}\nerror       {}\n", other->checkpoint.string(), percent(other->result.all));
    fmt::print("wrong       {} by the first only, {} by the second only\n", other->test.only_first_wrong,
               other->test.only_second_wrong);
    fmt::print("McNemar     p = {:.3g} (exact, two-sided)\n", other->test.p_value);
  }
}

EvaluationReport::Comparison compare(const EvaluateOptions& options, const CheckpointState& first, const Images& images,
                                     const std::vector<int64_t>& predictions) {
  const Checkpoint other = load_checkpoint_with_warnings(options.compare);
  if (other.state.class_names != first.class_names || other.state.shape.image_size != first.shape.image_size ||
      other.state.shape.channels != first.shape.channels) {
    throw Error(
        fmt::format("{}: cannot compare: input {}x{}x{} and {} classes here, input {}x{}x{} and {} classes in the "
                    "first checkpoint; "
                    "both must agree",
                    other.path.string(), other.state.shape.image_size, other.state.shape.image_size,
                    other.state.shape.channels, other.state.class_names.size(), first.shape.image_size,
                    first.shape.image_size, first.shape.channels, first.class_names.size()));
  }
  const Classifier classifier = load_classifier(other, begin_inference(options.inference, other.state));
  const std::span<const int64_t> labels = values_of(images.set.labels);
  const std::vector<int64_t> second = most_probable(classifier.probabilities(images.set.images));
  return {other.path, score_predictions(labels, second, first.shape.classes),
          mcnemar_test(labels, predictions, second)};
}

}  // namespace

int run_evaluate(std::span<const std::string> arguments) {
  EvaluateOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kSyntax, arguments, set)) return 0;
  const Checkpoint checkpoint = load_checkpoint_with_warnings(read_arguments(kSyntax, arguments, set).front());
  const CheckpointState& state = checkpoint.state;
  std::optional<SafeFile> predictions_file;  // before the work, so that an unusable path fails at once
  if (!options.predictions.empty()) predictions_file.emplace(options.predictions);
  const Inference inference = begin_inference(options.inference, state);
  const Classifier classifier = load_classifier(checkpoint, inference);
  const Images images = load_images(options, checkpoint);

  const at::Tensor probabilities = classifier.probabilities(images.set.images);
  const std::vector<int64_t> predictions = most_probable(probabilities);
  EvaluationReport report{checkpoint,
                          images,
                          options.on,
                          inference,
                          score_predictions(values_of(images.set.labels), predictions, state.shape.classes),
                          std::nullopt};
  if (!options.compare.empty()) report.comparison = compare(options, state, images, predictions);
  if (predictions_file) {
    predictions_file->write(bytes_of(predictions_text(images, probabilities, state.class_names)));
    predictions_file->commit();
  }
  options.json ? print_json(report) : print_text(report);
  return 0;
}

}  // namespace frgan

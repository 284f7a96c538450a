// frgan score: scores generated images, and the real images beside them.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/chosen_scorer.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/inference.h"
#include "app/notes.h"
#include "frgan/classifier/generation.h"
#include "frgan/core/error.h"
#include "frgan/data/image_folder.h"
#include "frgan/data/load_dataset.h"
#include "frgan/metrics/image_scores.h"
#include "frgan/metrics/scorer.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExamples[] = {
    "score runs/a --scorer runs/scorer",
    "score folder-of-images --scorer runs/scorer --data svhn",
};
constexpr std::string_view kImportant[] = {"scorer", "count", "data", "json"};

constexpr Syntax kSyntax = {"score",
                            "[IMAGES]",
                            "Scores images with the network --scorer: the images that the generator of a run makes, or "
                            "the images in and below a folder. Scores the real images for comparison. docs/scores.md "
                            "explains the numbers.",
                            0,
                            1,
                            kImportant,
                            kExamples};

struct CommandOptions {
  std::string scorer;
  bool any_classes = false;
  int64_t count = 50'000;
  ScoreOptions scores;
  std::string data;
  std::string data_dir;
  bool json = false;
  InferenceOptions inference;
};

void describe(OptionSet& options, CommandOptions& command) {
  options.group("Scorer", /*saved=*/false);
  options.add("scorer", command.scorer,
              "Run or checkpoint trained on all labels (frgan train --preset scorer), or a TorchScript file. Its input "
              "is float "
              "N x 3 x H x W from 0 to 1, its output is logits or (logits, features).");
  options.add("any-classes", command.any_classes,
              "Accepts a scorer with classes other than the data's, such as an ImageNet network.");
  options.group("Images", /*saved=*/false);
  options.add("count", command.count, "Number of generated images, and of real training images, to score.",
              Range<int64_t>{1, 10'000'000, "images"});
  options.add("splits", command.scores.splits, "Number of splits; an Inception Score is computed for each.",
              Range<int64_t>{1, 10'000, "splits"});
  options.add("seed", command.scores.seed, "Seed of the noise and of the order of the images in splits.",
              Range<int64_t>{0, INT64_MAX});
  options.add(
      "data", command.data,
      "Real images: dataset, folder or .safetensors file, as for train; empty uses the data of the scorer, else "
      "of the generator.");
  options.add("data-dir", command.data_dir, "Folder of the dataset's files; empty uses the folder of the run.");
  options.group("Output", /*saved=*/false);
  options.add("json", command.json, "Prints the result as JSON.");
  describe(options, command.inference);
}

std::optional<Checkpoint> checkpoint_at(const std::string& path) {
  if (path.empty() || !is_checkpoint(path)) return {};
  return load_checkpoint_with_warnings(path);
}

std::string shape_text(const ImageShape& shape) {
  return fmt::format("{}x{}x{}", shape.image_size, shape.image_size, shape.channels);
}

Dataset load_data(const CommandOptions& options, const Checkpoint* scorer, const Checkpoint* generator) {
  if (options.data.empty() && scorer == nullptr && generator == nullptr) {
    throw usage_error("missing --data: neither the scorer nor the images are a run whose data could be used");
  }
  const CheckpointState state = scorer != nullptr      ? scorer->state
                                : generator != nullptr ? generator->state
                                                       : CheckpointState{};
  Dataset data = load_dataset(data_options(options.data, options.data_dir, state), data_root());
  print_notes(data.notes, options.inference.quiet);
  return data;
}

// The images to score and their origin.
struct Images {
  std::string source;
  at::Tensor pixels;  // uint8, N x S x S x C
};

Images generate(const CommandOptions& options, const Checkpoint& checkpoint) {
  const Inference inference = begin_inference(options.inference, checkpoint.state);
  const LoadedMethod loaded = load_generator(checkpoint, inference.device, inference.precision);
  return {fmt::format("{} ({}, step {})", checkpoint.path.string(), checkpoint.state.method, checkpoint.state.step),
          generated_images(loaded, options.scores.seed, options.count)};
}

Images read_folder(const std::string& folder, const ImageShape& shape, bool quiet) {
  if (!fs::is_directory(folder)) {
    throw Error(fmt::format(
        "{}: not a folder; give a run with a generator, one of its checkpoints, or a folder of images", folder));
  }
  LooseImages loose = read_loose_images(folder, shape.image_size, shape.channels);
  print_notes(loose.notes, quiet);
  return {folder, std::move(loose.images)};
}

void check_generator(const Checkpoint& checkpoint, const Dataset& data, const ImageShape& shape) {
  const ImageShape& made = checkpoint.state.shape;
  if (made.image_size != shape.image_size || made.channels != shape.channels) {
    throw Error(
        fmt::format("{}: generates {} images, but the images of {} are {}; name data of the same size with --data",
                    checkpoint.path.string(), shape_text(made), data.source, shape_text(shape)));
  }
}

// One row of the table.
struct Row {
  std::string name;
  std::string source;
  ImageScores scores;
};

// The result, for text and JSON.
struct ScoreReport {
  const CommandOptions& options;
  const Dataset& data;
  const ChosenScorer& by;
  std::vector<Row> rows;
  std::vector<std::pair<std::string, double>> ceilings;  // of the labels' entropy, for "train" and "test"
};

// Scores that need more test images than there are, are left out.
void add_test_row(ScoreReport& report, const Features& real) {
  const ImageSet& test = report.data.test;
  const ScoreOptions& options = report.options.scores;
  if (test.size() < options.splits) return;
  const Features features = features_of(report.by.scorer, test.images);
  report.rows.push_back({"real, test", report.data.source, scores_as_far_as_enough(features, real, options)});
}

void print_json(const ScoreReport& report) {
  const Scorer& scorer = report.by.scorer;
  Json json = {{"scorer", scorer.name},
               {"scorer_digest", scorer.digest},
               {"classes", scorer.classes},
               {"features", scorer.features},
               {"precision", report.by.precision},
               {"data", report.data.source},
               {"data_digest", report.data.digest},
               {"seed", report.options.scores.seed}};
  for (const auto& [role, ceiling] : report.ceilings) json["ceiling"][role] = ceiling;
  for (const Row& row : report.rows) {
    Json entry = {{"name", row.name}, {"source", row.source}};
    entry.update(to_json(row.scores));
    json["sets"].push_back(entry);
  }
  fmt::print("{}\n", json.dump(2));
}

std::string cell(const std::optional<Distances>& distances, double (*value)(const Distances&)) {
  return distances ? fmt::format("{:.4g}", value(*distances)) : "-";
}

void print_row(const Row& row) {
  const ImageScores& scores = row.scores;
  const auto& d = scores.distances;
  const auto splits = static_cast<int64_t>(scores.inception.splits.size());
  fmt::print("{:<12} {:>8} {:>8} {:>10.4f} {:>8.4f} {:>9} {:>10} {:>9} {:>7} {:>8}\n", row.name, scores.images,
             scores.images / splits, scores.inception.mean, scores.inception.deviation,
             cell(d, [](const Distances& x) { return x.frechet; }),
             cell(d, [](const Distances& x) { return x.kernel; }),
             cell(d, [](const Distances& x) { return x.balls.precision; }),
             cell(d, [](const Distances& x) { return x.balls.recall; }),
             scores.real_images > 0 ? fmt::format("{:.4f}", scores.histogram_divergence) : "-");
}

// Shares of the classes in percent.
void print_histograms(const ScoreReport& report) {
  constexpr int64_t kWidestTable = 20;  // classes
  const Scorer& scorer = report.by.scorer;
  if (scorer.classes > kWidestTable) {
    fmt::print("\n{} classes: use --json for the histogram.\n", scorer.classes);
    return;
  }
  fmt::print("\n{:<12}", "% of class");
  for (int64_t k = 0; k < scorer.classes; ++k) fmt::print(" {:>6}", k);
  for (const Row& row : report.rows) {
    fmt::print("\n{:<12}", row.name);
    for (const int64_t count : row.scores.histogram) {
      fmt::print(" {:>6.2f}", 100 * static_cast<double>(count) / static_cast<double>(row.scores.images));
    }
  }
  fmt::print("\n");
}

void print_text(const ScoreReport& report) {
  const Scorer& scorer = report.by.scorer;
  fmt::print("scorer   {}, {} classes, {} features, {}\n", scorer.name, scorer.classes, scorer.features,
             report.by.precision);
  fmt::print("SHA-256  {}\n", scorer.digest);
  fmt::print("data     {}\n", report.data.source);
  if (report.rows.front().name == "scored") fmt::print("scored   {}\n", report.rows.front().source);
  for (const auto& [role, ceiling] : report.ceilings) {
    fmt::print("ceiling  {:.4f}, exp(H(y)) of the {} labels\n", ceiling, role);
  }
  fmt::print("\n{:<12} {:>8} {:>8} {:>10} {:>8} {:>9} {:>10} {:>9} {:>7} {:>8}\n", "", "images", "a split", "Inception",
             "std", "Frechet", "kernel", "precision", "recall", "class KL");
  for (const Row& row : report.rows) print_row(row);
  const auto compared = std::find_if(report.rows.begin(), report.rows.end(),
                                     [](const Row& row) { return row.scores.distances.has_value(); });
  if (compared != report.rows.end()) {
    const Distances& distances = *compared->scores.distances;
    fmt::print(
        "\nDistances are relative to the {} training images. Precision and recall compare {} images with {} training "
        "images, k = {}. std is over the splits.\n",
        compared->scores.real_images, distances.drawn, distances.real_drawn, report.options.scores.neighbours);
  }
  print_histograms(report);
}

}  // namespace

int run_score(std::span<const std::string> arguments) {
  CommandOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kSyntax, arguments, set)) return 0;
  const std::vector<std::string> words = read_arguments(kSyntax, arguments, set);
  if (options.scorer.empty()) {
    throw usage_error(
        "missing --scorer: give a run trained on all labels (frgan train --preset scorer) or a TorchScript file");
  }
  const std::optional<Checkpoint> scorer = checkpoint_at(options.scorer);
  const std::optional<Checkpoint> generator = checkpoint_at(words.empty() ? "" : words.front());
  const Dataset data = load_data(options, scorer ? &*scorer : nullptr, generator ? &*generator : nullptr);
  const ImageShape shape{data.image_size, data.channels, data.classes()};
  if (generator) check_generator(*generator, data, shape);
  const ChosenScorer by =
      scorer ? scorer_of(*scorer, options.inference) : scorer_of_file(options.scorer, shape, options.inference);
  if (!options.any_classes) check_classes(by.scorer, data);

  ScoreReport report{options, data, by, {}, {}};
  const Features real = features_of(by.scorer, data.train.images);
  int64_t scored = options.count;
  std::optional<Images> images;
  if (generator) {
    images = generate(options, *generator);
  } else if (!words.empty()) {
    images = read_folder(words.front(), shape, options.inference.quiet);
  }
  if (images) {
    const Features features = drawn(features_of(by.scorer, images->pixels), options.count, options.scores.seed);
    scored = features.size();
    report.rows.push_back({"scored", images->source, score_images(features, real, options.scores)});
  }
  report.rows.push_back(
      {"real, train", data.source, score_images(drawn(real, scored, options.scores.seed), options.scores)});
  add_test_row(report, real);
  if (!options.any_classes) {
    report.ceilings.emplace_back("train", label_ceiling(data.train, data.classes()));
    if (data.test.size() > 0) report.ceilings.emplace_back("test", label_ceiling(data.test, data.classes()));
  }
  options.json ? print_json(report) : print_text(report);
  return 0;
}

}  // namespace frgan

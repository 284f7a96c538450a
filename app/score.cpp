// frgan score: scores generated images, and the real images beside them.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/notes.h"
#include "app/watch_loading.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/metrics/run_scores.h"

namespace frgan {
namespace {

constexpr std::string_view kScoreExamples[] = {
    "score runs/a --scorer runs/scorer",
    "score folder-of-images --scorer runs/scorer --data svhn",
};
constexpr std::string_view kScoreImportant[] = {"scorer", "count", "data", "json"};

constexpr Syntax kScoreSyntax = {
    "score",
    "[IMAGES]",
    "Scores images with the network --scorer: the images that the generator of a run makes, or "
    "the images in and below a folder. Scores the real images for comparison. docs/scores.md "
    "explains the numbers.",
    0,
    1,
    kScoreImportant,
    kScoreExamples};

struct CommandOptions {
  std::string scorer;
  bool any_classes = false;
  int64_t count = 50'000;
  ScoreOptions scores;
  std::string data;
  std::string data_dir;
  bool json = false;
  Hardware hardware;
  bool quiet = false;
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
  describe(options, command.hardware);
  add_quiet(options, command.quiet);
}

void print_json(const ScoringResult& found, int64_t seed) {
  Json json = {{"scorer", found.scorer},           {"scorer_digest", found.scorer_digest},
               {"classes", found.classes},         {"features", found.features},
               {"precision", found.precision},     {"data", found.data},
               {"data_digest", found.data_digest}, {"seed", seed}};
  for (const auto& [role, ceiling] : found.ceilings) json["ceiling"][role] = ceiling;
  for (const NamedScores& set : found.sets) {
    Json entry = {{"name", set.name}, {"source", set.source}};
    entry.update(to_json(set.scores));
    json["sets"].push_back(entry);
  }
  print_output("{}\n", json_text(json, 2));
}

std::string cell(const std::optional<Distances>& distances, double (*value)(const Distances&)) {
  return distances ? fmt::format("{:.4g}", value(*distances)) : "-";
}

void print_row(const NamedScores& row) {
  const ImageScores& scores = row.scores;
  const auto& d = scores.distances;
  const auto splits = static_cast<int64_t>(scores.inception.splits.size());
  print_output("{:<12} {:>8} {:>8} {:>10.4f} {:>8.4f} {:>9} {:>10} {:>9} {:>7} {:>8}\n", row.name, scores.images,
               scores.images / splits, scores.inception.mean, scores.inception.deviation,
               cell(d, [](const Distances& x) { return x.frechet; }),
               cell(d, [](const Distances& x) { return x.kernel; }),
               cell(d, [](const Distances& x) { return x.balls.precision; }),
               cell(d, [](const Distances& x) { return x.balls.recall; }),
               scores.real_images > 0 ? fmt::format("{:.4f}", scores.histogram_divergence) : "-");
}

// Shares of the classes in percent.
void print_histograms(const ScoringResult& found) {
  constexpr int64_t kWidestTable = 20;  // classes
  if (found.classes > kWidestTable) {
    print_output("\n{} classes: use --json for the histogram.\n", found.classes);
    return;
  }
  print_output("\n{:<12}", "% of class");
  for (int64_t k = 0; k < found.classes; ++k) print_output(" {:>6}", k);
  for (const NamedScores& row : found.sets) {
    print_output("\n{:<12}", row.name);
    for (const int64_t count : row.scores.histogram) {
      print_output(" {:>6.2f}", 100 * static_cast<double>(count) / static_cast<double>(row.scores.images));
    }
  }
  print_output("\n");
}

void print_text(const ScoringResult& found, int64_t neighbours) {
  print_output("scorer   {}, {} classes, {} features, {}\n", one_line(found.scorer), found.classes, found.features,
               found.precision);
  print_output("SHA-256  {}\n", found.scorer_digest);
  print_output("data     {}\n", one_line(found.data));
  if (found.sets.front().name == "scored") print_output("scored   {}\n", one_line(found.sets.front().source));
  for (const auto& [role, ceiling] : found.ceilings) {
    print_output("ceiling  {:.4f}, exp(H(y)) of the {} labels\n", ceiling, role);
  }
  print_output("\n{:<12} {:>8} {:>8} {:>10} {:>8} {:>9} {:>10} {:>9} {:>7} {:>8}\n", "", "images", "a split",
               "Inception", "std", "Frechet", "kernel", "precision", "recall", "class KL");
  for (const NamedScores& row : found.sets) print_row(row);
  const auto compared = std::find_if(found.sets.begin(), found.sets.end(),
                                     [](const NamedScores& row) { return row.scores.distances.has_value(); });
  if (compared != found.sets.end()) {
    const Distances& distances = *compared->scores.distances;
    print_output(
        "\nDistances are relative to the {} training images. Precision and recall compare {} images with {} training "
        "images, k = {}. std is over the splits.\n",
        compared->scores.real_images, distances.drawn, distances.real_drawn, neighbours);
  }
  print_histograms(found);
}

}  // namespace

int run_score(std::span<const std::string> arguments) {
  CommandOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kScoreSyntax, arguments, set)) return 0;
  const std::vector<std::string> words = read_arguments(kScoreSyntax, arguments, set);
  if (options.scorer.empty()) {
    throw usage_error(
        "missing --scorer: give a run trained on all labels (frgan train --preset scorer) or a TorchScript file");
  }
  const ScoringResult found =
      score_run({.images = words.empty() ? "" : words.front(),
                 .scorer = options.scorer,
                 .any_classes = options.any_classes,
                 .count = options.count,
                 .options = options.scores,
                 .data = {options.data, options.data_dir, data_root(), watch_loading(options.quiet)},
                 .hardware = options.hardware},
                printed_messages(options.quiet));
  options.json ? print_json(found, options.scores.seed) : print_text(found, options.scores.neighbours);
  return 0;
}

}  // namespace frgan

// frgan score: how good generated pictures are, and the real ones beside them.
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
#include "app/inference.h"
#include "frgan/classifier/generation.h"
#include "frgan/core/error.h"
#include "frgan/data/load_dataset.h"
#include "frgan/data/picture_folder.h"
#include "frgan/metrics/image_scores.h"
#include "frgan/metrics/scorer.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr Syntax kSyntax = {"score", "[PICTURES]",
                            "Scores pictures by the network --scorer: those that the generator of a run makes, or "
                            "those in and below a folder; beside them, or alone, the real ones. docs/scores.md says "
                            "what the numbers mean.",
                            0, 1};

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
  options.add(
      "scorer", command.scorer,
      "A run or checkpoint that was trained on all labels (frgan train --preset scorer), or a TorchScript file: "
      "float N x 3 x H x W of 0 to 1 in, logits or (logits, features) out.");
  options.add("any-classes", command.any_classes,
              "Takes a scorer of other classes than the data's, such as an ImageNet network.");
  options.group("Pictures", /*saved=*/false);
  options.add("count", command.count, "How many are generated, and how many real training pictures are scored.",
              Range<int64_t>{1, 10'000'000});
  options.add("splits", command.scores.splits, "Parts for each of which an Inception Score is computed.",
              Range<int64_t>{1, 10'000});
  options.add("seed", command.scores.seed, "Of the noise, and of the order in which pictures fall into splits.",
              Range<int64_t>{0, INT64_MAX});
  options.add("data", command.data,
              "The real pictures: data set, folder or .safetensors file (as for train); empty: the scorer's, or the "
              "generator's.");
  options.add("data-dir", command.data_dir, "Where the files of the data set lie; empty: where the run found them.");
  options.group("Output", /*saved=*/false);
  options.add("json", command.json, "Prints JSON.");
  describe(options, command.inference);
}

std::optional<Checkpoint> checkpoint_at(const std::string& path) {
  if (path.empty() || !is_checkpoint(path)) return {};
  return load_checkpoint_aloud(path);
}

std::string shape_text(const PictureShape& shape) {
  return fmt::format("{}x{}x{}", shape.image_size, shape.image_size, shape.channels);
}

Dataset load_data(const CommandOptions& options, const Checkpoint* scorer, const Checkpoint* generator) {
  if (options.data.empty() && scorer == nullptr && generator == nullptr) {
    throw usage_error(
        "--data is needed: neither the scorer nor the pictures are a run that says what the real ones are");
  }
  const CheckpointState state = scorer != nullptr      ? scorer->state
                                : generator != nullptr ? generator->state
                                                       : CheckpointState{};
  Dataset data = load_dataset(data_options(options.data, options.data_dir, state), data_root());
  for (const std::string& note : data.notes) fmt::print(stderr, "note: {}\n", note);
  return data;
}

// The pictures to score, and what they are.
struct Pictures {
  std::string source;
  at::Tensor pixels;  // uint8, N x S x S x C
};

Pictures generate(const CommandOptions& options, const Checkpoint& checkpoint) {
  const Inference inference = begin_inference(options.inference, checkpoint.state);
  const LoadedMethod loaded = load_generator(checkpoint, inference.device, inference.precision);
  return {fmt::format("{} ({}, step {})", checkpoint.path.string(), checkpoint.state.method, checkpoint.state.step),
          generated_pictures(loaded, options.scores.seed, options.count)};
}

Pictures read_folder(const std::string& folder, const PictureShape& shape) {
  if (!fs::is_directory(folder)) {
    throw Error(
        fmt::format("{}: is no folder; give a run with a generator, one of its checkpoints, or a folder of "
                    "pictures",
                    folder));
  }
  LoosePictures loose = read_loose_pictures(folder, shape.image_size, shape.channels);
  for (const std::string& note : loose.notes) fmt::print(stderr, "note: {}\n", note);
  return {folder, std::move(loose.pictures)};
}

void check_generator(const Checkpoint& checkpoint, const Dataset& data, const PictureShape& shape) {
  const PictureShape& made = checkpoint.state.shape;
  if (made.image_size != shape.image_size || made.channels != shape.channels) {
    throw Error(fmt::format("{}: generates pictures of {}, those of {} are {}; --data names the data to compare with",
                            checkpoint.path.string(), shape_text(made), data.source, shape_text(shape)));
  }
}

// One row of the table.
struct Row {
  std::string name;
  std::string source;
  ImageScores scores;
};

// What was found, for text and JSON alike.
struct Findings {
  const CommandOptions& options;
  const Dataset& data;
  const ChosenScorer& by;
  std::vector<Row> rows;
  std::vector<std::pair<std::string, double>> ceilings;  // of labels, "train" and "test"
};

// Few test pictures are no error: what they are too few for is left out.
void add_test_row(Findings& findings, const Features& real) {
  const PictureSet& test = findings.data.test;
  const ScoreOptions& options = findings.options.scores;
  if (test.size() < options.splits) return;
  const Features features = features_of(findings.by.scorer, test.pictures);
  findings.rows.push_back({"real, test", findings.data.source, scores_as_far_as_enough(features, real, options)});
}

void print_json(const Findings& findings) {
  const Scorer& scorer = findings.by.scorer;
  nlohmann::ordered_json json = {{"scorer", scorer.name},
                                 {"scorer_hash", scorer.hash},
                                 {"classes", scorer.classes},
                                 {"features", scorer.features},
                                 {"precision", findings.by.precision},
                                 {"data", findings.data.source},
                                 {"data_digest", findings.data.digest},
                                 {"seed", findings.options.scores.seed}};
  for (const auto& [role, ceiling] : findings.ceilings) json["ceiling"][role] = ceiling;
  for (const Row& row : findings.rows) {
    nlohmann::ordered_json entry = {{"name", row.name}, {"source", row.source}};
    entry.update(to_json(row.scores));
    json["sets"].push_back(entry);
  }
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string cell(const std::optional<Distances>& distances, double (*value)(const Distances&)) {
  return distances ? fmt::format("{:.4g}", value(*distances)) : "-";
}

void print_row(const Row& row) {
  const ImageScores& scores = row.scores;
  const auto& d = scores.distances;
  const auto splits = static_cast<int64_t>(scores.inception.splits.size());
  fmt::print("{:<12} {:>8} {:>8} {:>10.4f} {:>8.4f} {:>9} {:>10} {:>9} {:>7} {:>8}\n", row.name, scores.pictures,
             scores.pictures / splits, scores.inception.mean, scores.inception.deviation,
             cell(d, [](const Distances& x) { return x.frechet; }),
             cell(d, [](const Distances& x) { return x.kernel; }),
             cell(d, [](const Distances& x) { return x.balls.precision; }),
             cell(d, [](const Distances& x) { return x.balls.recall; }),
             scores.real_pictures > 0 ? fmt::format("{:.4f}", scores.histogram_divergence) : "-");
}

// Shares of the classes, in per cent.
void print_histograms(const Findings& findings) {
  constexpr int64_t kWidestTable = 20;  // classes
  const Scorer& scorer = findings.by.scorer;
  if (scorer.classes > kWidestTable) {
    fmt::print("\nThe histogram of {} classes is printed by --json.\n", scorer.classes);
    return;
  }
  fmt::print("\n{:<12}", "% of class");
  for (int64_t k = 0; k < scorer.classes; ++k) fmt::print(" {:>6}", k);
  for (const Row& row : findings.rows) {
    fmt::print("\n{:<12}", row.name);
    for (const int64_t count : row.scores.histogram) {
      fmt::print(" {:>6.2f}", 100 * static_cast<double>(count) / static_cast<double>(row.scores.pictures));
    }
  }
  fmt::print("\n");
}

void print_text(const Findings& findings) {
  const Scorer& scorer = findings.by.scorer;
  fmt::print("scorer   {}, {} classes, {} features, {}\n", scorer.name, scorer.classes, scorer.features,
             findings.by.precision);
  fmt::print("SHA-256  {}\n", scorer.hash);
  fmt::print("data     {}\n", findings.data.source);
  if (findings.rows.front().name == "scored") fmt::print("scored   {}\n", findings.rows.front().source);
  for (const auto& [role, ceiling] : findings.ceilings) {
    fmt::print("ceiling  {:.4f}, exp(H(y)) of the {} labels\n", ceiling, role);
  }
  fmt::print("\n{:<12} {:>8} {:>8} {:>10} {:>8} {:>9} {:>10} {:>9} {:>7} {:>8}\n", "", "pictures", "a split",
             "Inception", "std", "Frechet", "kernel", "precision", "recall", "class KL");
  for (const Row& row : findings.rows) print_row(row);
  const auto compared = std::find_if(findings.rows.begin(), findings.rows.end(),
                                     [](const Row& row) { return row.scores.distances.has_value(); });
  if (compared != findings.rows.end()) {
    const Distances& distances = *compared->scores.distances;
    fmt::print(
        "\nDistances are to the {} training pictures; precision and recall of {} pictures and {} of those, "
        "k = {}; std is over the splits.\n",
        compared->scores.real_pictures, distances.drawn, distances.real_drawn, findings.options.scores.neighbours);
  }
  print_histograms(findings);
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
        "--scorer is needed: a run that was trained on all labels (frgan train --preset scorer), or a "
        "TorchScript file");
  }
  const std::optional<Checkpoint> scorer = checkpoint_at(options.scorer);
  const std::optional<Checkpoint> generator = checkpoint_at(words.empty() ? "" : words.front());
  const Dataset data = load_data(options, scorer ? &*scorer : nullptr, generator ? &*generator : nullptr);
  const PictureShape shape{data.image_size, data.channels, data.classes()};
  if (generator) check_generator(*generator, data, shape);
  const ChosenScorer by =
      scorer ? scorer_of(*scorer, options.inference) : scorer_of_file(options.scorer, shape, options.inference);
  if (!options.any_classes) check_classes(by.scorer, data);

  Findings findings{options, data, by, {}, {}};
  const Features real = features_of(by.scorer, data.train.pictures);
  int64_t scored = options.count;
  std::optional<Pictures> pictures;
  if (generator) {
    pictures = generate(options, *generator);
  } else if (!words.empty()) {
    pictures = read_folder(words.front(), shape);
  }
  if (pictures) {
    const Features features = drawn(features_of(by.scorer, pictures->pixels), options.count, options.scores.seed);
    scored = features.size();
    findings.rows.push_back({"scored", pictures->source, score_images(features, real, options.scores)});
  }
  findings.rows.push_back(
      {"real, train", data.source, score_images(drawn(real, scored, options.scores.seed), options.scores)});
  add_test_row(findings, real);
  if (!options.any_classes) {
    findings.ceilings.emplace_back("train", label_ceiling(data.train, data.classes()));
    if (data.test.size() > 0) findings.ceilings.emplace_back("test", label_ceiling(data.test, data.classes()));
  }
  options.json ? print_json(findings) : print_text(findings);
  return 0;
}

}  // namespace frgan

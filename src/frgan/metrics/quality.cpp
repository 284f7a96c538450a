#include "frgan/metrics/quality.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

constexpr int64_t kFewLabels = 5;         // of a class
constexpr double kMemorized = 0.01;       // error on labeled images
constexpr double kHighError = 0.2;        // lower end of its interval
constexpr double kSignificance = 0.05;    // of McNemar's test
constexpr size_t kClassesInWarnings = 5;  // more are counted

double percent(double share) {
  return 100 * share;
}

int64_t top_for(int64_t classes) {
  if (classes >= 10) return 5;
  return classes > 2 ? 2 : 1;
}

// The predictions of the network, and the sums that need all probabilities.
struct Scan {
  std::vector<int64_t> predictions;
  std::vector<ScoredPrediction> uncalibrated, calibrated;
  double uncalibrated_loss = 0, calibrated_loss = 0;  // means
  int64_t top_wrong = 0;
};

Scan scan(const Outputs& outputs, double temperature, int64_t top) {
  Scan found;
  const auto classes = static_cast<size_t>(outputs.classes);
  const auto images = static_cast<double>(outputs.labels.size());
  for (size_t i = 0; i < outputs.labels.size(); ++i) {
    const std::span<const float> row = outputs.logits.subspan(i * classes, classes);
    const std::vector<double> logits(row.begin(), row.end());
    const auto label = static_cast<size_t>(outputs.labels[i]);
    const auto predicted = static_cast<size_t>(std::ranges::max_element(logits) - logits.begin());
    found.predictions.push_back(static_cast<int64_t>(predicted));
    const auto higher = std::ranges::count_if(logits, [&](double logit) { return logit > logits[label]; });
    found.top_wrong += higher >= top ? 1 : 0;
    const auto add = [&](double t, std::vector<ScoredPrediction>& predictions, double& loss) {
      const std::vector<double> probabilities = probabilities_at(logits, t);
      predictions.push_back({probabilities[predicted], predicted == label});
      loss -= std::log(std::max(probabilities[label], std::numeric_limits<double>::min())) / images;
    };
    add(1, found.uncalibrated, found.uncalibrated_loss);
    add(temperature, found.calibrated, found.calibrated_loss);
  }
  return found;
}

CalibrationQuality quality_of(double loss, const std::vector<ScoredPrediction>& predictions) {
  CalibrationQuality quality{.log_loss = loss, .bins = reliability(predictions)};
  quality.error = calibration_error(quality.bins);
  return quality;
}

Baseline baseline(std::string name, const Outputs& outputs, const std::vector<int64_t>& network,
                  const std::vector<int64_t>& predictions) {
  const McNemarTest test = mcnemar_test(outputs.labels, network, predictions);
  return {std::move(name), score_predictions(outputs.labels, predictions, outputs.classes).all.error(),
          test.only_first_wrong < test.only_second_wrong && test.p_value < kSignificance};
}

std::vector<Baseline> baselines_of(const Outputs& outputs, const Scan& found, const ErrorCount& count,
                                   const QualityBasis& basis) {
  const double guessing = 1 - 1 / static_cast<double>(outputs.classes);
  std::vector<Baseline> baselines{{"guessing", guessing, count.interval().high < guessing}};
  if (!basis.label_counts.empty()) {
    const auto majority = std::ranges::max_element(basis.label_counts) - basis.label_counts.begin();
    const std::vector<int64_t> always(outputs.labels.size(), majority);
    const std::string& name = basis.class_names[static_cast<size_t>(majority)];
    baselines.push_back(baseline(fmt::format("always '{}'", one_line(name)), outputs, found.predictions, always));
  }
  if (!basis.pixel_predictions.empty()) {
    const std::string name = fmt::format("linear classifier on {0}x{0} pixels", basis.pixel_side);
    baselines.push_back(baseline(name, outputs, found.predictions, basis.pixel_predictions));
  }
  return baselines;
}

std::string unbeaten_warning(const Quality& quality) {
  std::vector<std::string> unbeaten;
  for (const Baseline& baseline : quality.baselines) {
    if (!baseline.is_beaten) unbeaten.push_back(fmt::format("{} ({:.2f} %)", baseline.name, percent(baseline.error)));
  }
  if (unbeaten.empty()) return "";
  return fmt::format(
      "the {} error ({:.2f} % of {}) is not lower, with 95 % confidence, than that of {}; do not rely on "
      "this classifier",
      name_of(quality.role), percent(quality.count.error()), counted(quality.count.images, "image"),
      fmt::join(unbeaten, " or "));
}

std::string memorized_warning(const Quality& quality) {
  if (!quality.labeled_error || *quality.labeled_error > kMemorized || quality.count.interval().low < kHighError)
    return "";
  return fmt::format(
      "the network memorized the labeled images (error {:.2f} %), but the {} error is {:.2f} %; more "
      "labels, stronger augmentation or an encoder may help",
      percent(*quality.labeled_error), name_of(quality.role), percent(quality.count.error()));
}

std::string few_labels_warning(const QualityBasis& basis) {
  std::vector<std::string> few;
  for (size_t k = 0; k < basis.label_counts.size(); ++k) {
    if (basis.label_counts[k] < kFewLabels)
      few.push_back(fmt::format("'{}' ({})", one_line(basis.class_names[k]), basis.label_counts[k]));
  }
  if (few.empty()) return "";
  const size_t shown = std::min(few.size(), kClassesInWarnings);
  return fmt::format("{} fewer than {} labels: {}{}; add labels",
                     few.size() == 1 ? "1 class has" : fmt::format("{} classes have", few.size()), kFewLabels,
                     fmt::join(std::span(few).first(shown), ", "), shown < few.size() ? ", ..." : "");
}

Json to_json(const CalibrationQuality& quality) {
  Json bins = Json::array();
  for (const ReliabilityBin& bin : quality.bins) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"images", bin.images},
                    {"confidence", bin.confidence},
                    {"accuracy", bin.accuracy}});
  }
  return {{"log_loss", quality.log_loss}, {"calibration_error", quality.error}, {"bins", bins}};
}

CalibrationQuality calibration_quality_from_json(const Json& json) {
  CalibrationQuality quality{.log_loss = json.at("log_loss").get<double>(),
                             .error = json.at("calibration_error").get<double>()};
  for (const Json& bin : json.at("bins")) {
    quality.bins.push_back({bin.at("low").get<double>(), bin.at("high").get<double>(), bin.at("images").get<int64_t>(),
                            bin.at("confidence").get<double>(), bin.at("accuracy").get<double>()});
  }
  return quality;
}

double number_or_nan(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

}  // namespace

double macro_f1(const std::vector<std::vector<int64_t>>& confusion) {
  double sum = 0;
  int64_t classes = 0;
  for (size_t k = 0; k < confusion.size(); ++k) {
    const int64_t labels = std::accumulate(confusion[k].begin(), confusion[k].end(), int64_t{0});
    int64_t predictions = 0;
    for (const std::vector<int64_t>& row : confusion) predictions += row[k];
    if (labels + predictions == 0) continue;
    ++classes;
    sum += 2 * static_cast<double>(confusion[k][k]) / static_cast<double>(labels + predictions);
  }
  return classes > 0 ? sum / static_cast<double>(classes) : std::numeric_limits<double>::quiet_NaN();
}

Quality measure_quality(const Outputs& outputs, EvaluatedImages role, const QualityBasis& basis) {
  const int64_t top = top_for(outputs.classes);
  const Scan found = scan(outputs, basis.calibration.temperature, top);
  const Classification result = score_predictions(outputs.labels, found.predictions, outputs.classes);
  Quality quality{.role = role,
                  .count = result.all,
                  .macro_f1 = macro_f1(result.confusion),
                  .top = top,
                  .top_error = ErrorCount{result.all.images, found.top_wrong}.error(),
                  .baselines = baselines_of(outputs, found, result.all, basis),
                  .calibration = {.temperature = basis.calibration.temperature, .images = basis.calibration.images},
                  .calibration_images = std::ssize(basis.calibration.held_out),
                  .uncalibrated = quality_of(found.uncalibrated_loss, found.uncalibrated),
                  .calibrated = quality_of(found.calibrated_loss, found.calibrated),
                  .risk_coverage = risk_coverage(found.calibrated),
                  .labeled_error = basis.labeled_error};
  std::vector<double> of_correct, of_wrong;
  for (const ScoredPrediction& prediction : found.calibrated)
    (prediction.correct ? of_correct : of_wrong).push_back(prediction.confidence);
  quality.auroc = auroc(of_correct, of_wrong);
  for (std::string& warning :
       std::vector{unbeaten_warning(quality), memorized_warning(quality), few_labels_warning(basis)})
    if (!warning.empty()) quality.warnings.push_back(std::move(warning));
  return quality;
}

Json to_json(const Quality& quality) {
  Json baselines = Json::array(), curve = Json::array();
  for (const Baseline& baseline : quality.baselines)
    baselines.push_back({{"name", baseline.name}, {"error", baseline.error}, {"is_beaten", baseline.is_beaten}});
  for (const CoveragePoint& point : quality.risk_coverage)
    curve.push_back({{"threshold", point.threshold}, {"coverage", point.coverage}, {"risk", point.risk}});
  return {{"role", name_of(quality.role)},
          {"images", quality.count.images},
          {"wrong", quality.count.wrong},
          {"macro_f1", quality.macro_f1},
          {"top", quality.top},
          {"top_error", quality.top_error},
          {"baselines", baselines},
          {"temperature", quality.calibration.temperature},
          {"calibration_images", quality.calibration_images},
          {"calibrated_on", quality.calibration.images},
          {"uncalibrated", to_json(quality.uncalibrated)},
          {"calibrated", to_json(quality.calibrated)},
          {"auroc", quality.auroc},
          {"risk_coverage", curve},
          {"labeled_error", quality.labeled_error ? Json(*quality.labeled_error) : Json()},
          {"warnings", quality.warnings}};
}

Quality quality_from_json(const Json& json, std::string_view name) try {
  const auto role = parse_evaluated_images(json.at("role").text());
  if (!role) throw Error(fmt::format("{}: invalid role '{}'; must be test or dev", name, json.at("role").text()));
  Quality quality{
      .role = *role,
      .count = {json.at("images").get<int64_t>(), json.at("wrong").get<int64_t>()},
      .macro_f1 = number_or_nan(json.at("macro_f1")),
      .top = json.at("top").get<int64_t>(),
      .top_error = number_or_nan(json.at("top_error")),
      .calibration = {.temperature = json.at("temperature").get<double>(), .images = json.at("calibrated_on").text()},
      .calibration_images = json.at("calibration_images").get<int64_t>(),
      .uncalibrated = calibration_quality_from_json(json.at("uncalibrated")),
      .calibrated = calibration_quality_from_json(json.at("calibrated")),
      .auroc = number_or_nan(json.at("auroc")),
      .warnings = json.at("warnings").get<std::vector<std::string>>()};
  for (const Json& baseline : json.at("baselines")) {
    quality.baselines.push_back(
        {baseline.at("name").text(), baseline.at("error").get<double>(), baseline.at("is_beaten").get<bool>()});
  }
  for (const Json& point : json.at("risk_coverage")) {
    quality.risk_coverage.push_back(
        {point.at("threshold").get<double>(), point.at("coverage").get<double>(), point.at("risk").get<double>()});
  }
  if (const Json& error = json.at("labeled_error"); !error.is_null()) quality.labeled_error = error.get<double>();
  return quality;
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: invalid file ({})", name, error.what()));
}

void write_quality(const std::filesystem::path& path, const Quality& quality) {
  write_file_safely(path, with_checksum(to_json(quality)).dump(1) + '\n');
}

Quality read_quality(const std::filesystem::path& path) {
  return quality_from_json(read_json_object(path), path.string());
}

std::string quality_text(const Quality& quality) {
  std::string text = fmt::format("accuracy    {:.2f} %, macro F1 {:.2f} %", percent(1 - quality.count.error()),
                                 percent(quality.macro_f1));
  if (quality.top > 1)
    text += fmt::format(", label among the {} most probable: {:.2f} %", quality.top, percent(1 - quality.top_error));
  std::vector<std::string> baselines;
  for (const Baseline& baseline : quality.baselines)
    baselines.push_back(fmt::format("{} {:.2f} %", baseline.name, percent(baseline.error)));
  text += fmt::format("\nbaselines   error of {}\n", fmt::join(baselines, ", "));
  if (quality.calibration.is_fitted()) {
    text +=
        fmt::format("calibration temperature {:.2f}, fitted to {} {}; calibration error {:.1f} %, before {:.1f} %\n",
                    quality.calibration.temperature, quality.calibration_images, quality.calibration.images,
                    percent(quality.calibrated.error), percent(quality.uncalibrated.error));
  } else {
    text += fmt::format("calibration none, for lack of development images (--dev-images); calibration error {:.1f} %\n",
                        percent(quality.uncalibrated.error));
  }
  for (const std::string& warning : quality.warnings) text += fmt::format("warning: {}\n", warning);
  return text;
}

}  // namespace frgan

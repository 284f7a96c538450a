#include "frgan/report/mistakes.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

// Throws an Error if the values of a file are inconsistent or out of range.
void check(const Mistakes& found, std::string_view name) {
  const auto refuse = [&](const std::string& what) {
    throw Error(fmt::format("{}: {}; the file is corrupt or was edited", name, what));
  };
  const auto classes = static_cast<int64_t>(found.class_names.size());
  if (found.class_counts.size() != found.class_names.size()) {
    refuse(fmt::format("{} class counts for {} class names", found.class_counts.size(), classes));
  }
  constexpr int64_t kMostClasses = 1000;  // the limit of datasets (data/dataset.h)
  if (classes > kMostClasses) refuse(fmt::format("{} classes; at most {} are allowed", classes, kMostClasses));
  int64_t left = found.images;  // images of the remaining classes
  for (const int64_t count : found.class_counts) {
    left = count < 0 || count > left ? -1 : left - count;
  }
  if (left != 0) refuse(fmt::format("class counts do not match {} images", found.images));
  std::vector<int64_t> right = found.class_counts;
  std::set<int64_t> rows;
  for (const auto& [row, label, prediction, probability, file] : found.mistakes) {
    if (row < 0 || row >= found.images || !rows.insert(row).second) {
      refuse(fmt::format("row {} is a duplicate or outside the {} images", row, found.images));
    }
    if (label < 0 || label >= classes || prediction < 0 || prediction >= classes || label == prediction) {
      refuse(fmt::format("row {}: label {} and prediction {} must be two different classes below {}", row, label,
                         prediction, classes));
    }
    if (!(probability >= 0 && probability <= 1)) {
      refuse(fmt::format("row {}: invalid probability {}; allowed: 0 to 1", row, probability));
    }
    --right[static_cast<size_t>(label)];
  }
  if (std::any_of(right.begin(), right.end(), [](int64_t count) { return count < 0; })) {
    refuse(fmt::format("class counts do not match {} images and their mistakes", found.images));
  }
  for (const int64_t row : found.shown) {
    if (!rows.contains(row)) refuse(fmt::format("row {} is listed in 'shown' but is not a mistake", row));
  }
}

}  // namespace

Json to_json(const Mistakes& found) {
  Json mistakes = Json::array();
  Json files = Json::array();
  for (const auto& [row, label, prediction, probability, file] : found.mistakes) {
    mistakes.push_back({row, label, prediction, std::round(1e4 * probability) / 1e4});
    if (!file.empty()) files.push_back(file);
  }
  Json json{{"role", name_of(found.role)},
            {"data_digest", found.data_digest},
            {"split_digest", found.split_digest},
            {"images", found.images},
            {"class_names", found.class_names},
            {"class_counts", found.class_counts},
            {"mistakes", mistakes},
            {"shown", found.shown}};
  if (!files.empty()) json["files"] = files;
  return json;
}

Mistakes mistakes_from_json(const Json& json, std::string_view name) try {
  Mistakes found;
  const auto role = json.at("role").get<std::string>();
  const auto images = parse_evaluated_images(role);
  if (!images) {
    throw Error(fmt::format("{}: invalid role {:?}; expected \"test\" or \"dev\"; the file is corrupt or was edited",
                            name, role));
  }
  found.role = *images;
  json.at("data_digest").get_to(found.data_digest);
  json.at("split_digest").get_to(found.split_digest);
  json.at("images").get_to(found.images);
  json.at("class_names").get_to(found.class_names);
  json.at("class_counts").get_to(found.class_counts);
  for (const Json& entry : json.at("mistakes")) {
    found.mistakes.push_back({entry.at(0).get<int64_t>(), entry.at(1).get<int64_t>(), entry.at(2).get<int64_t>(),
                              entry.at(3).get<double>()});
  }
  json.at("shown").get_to(found.shown);
  if (const Json* const files = json.find("files"); files != nullptr) {
    const auto names = files->get<std::vector<std::string>>();
    if (names.size() != found.mistakes.size()) throw JsonError("not one file per mistake");
    for (size_t i = 0; i < names.size(); ++i) found.mistakes[i].file = one_line(names[i]);
  }
  check(found, name);
  return found;
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: not a valid mistakes file ({})", name, error.what()));
}

void write_mistakes(const std::filesystem::path& path, const Mistakes& mistakes) {
  write_file_safely(path, with_checksum(to_json(mistakes)).dump() + '\n');
}

Mistakes read_mistakes(const std::filesystem::path& path) {
  return mistakes_from_json(read_json_object(path), path.string());
}

Mistakes find_mistakes(std::span<const int64_t> labels, std::span<const int64_t> predictions,
                       std::span<const float> probabilities, const std::vector<std::string>& class_names,
                       size_t shown) {
  Mistakes found;
  found.images = static_cast<int64_t>(labels.size());
  found.class_names = class_names;
  found.class_counts.resize(class_names.size());
  for (size_t row = 0; row < labels.size(); ++row) {
    ++found.class_counts.at(static_cast<size_t>(labels[row]));
    if (labels[row] == predictions[row]) continue;
    found.mistakes.push_back({static_cast<int64_t>(row), labels[row], predictions[row], probabilities[row], ""});
  }
  std::ranges::stable_sort(found.mistakes, std::ranges::greater(), &Mistake::probability);
  for (const Mistake& mistake : std::span(found.mistakes).first(std::min(shown, found.mistakes.size()))) {
    found.shown.push_back(mistake.row);
  }
  return found;
}

Classification score(const Mistakes& found) {
  Classification result{{found.images, static_cast<int64_t>(found.mistakes.size())}, {}, confusion(found)};
  for (size_t label = 0; label < found.class_counts.size(); ++label) {
    result.classes.push_back({found.class_counts[label], found.class_counts[label] - result.confusion[label][label]});
  }
  return result;
}

std::vector<std::vector<int64_t>> confusion(const Mistakes& found) {
  const size_t classes = found.class_counts.size();
  std::vector<std::vector<int64_t>> table(classes, std::vector<int64_t>(classes));
  for (size_t label = 0; label < classes; ++label) table[label][label] = found.class_counts[label];
  for (const Mistake& mistake : found.mistakes) {
    const auto label = static_cast<size_t>(mistake.label);
    --table[label][label];
    ++table[label][static_cast<size_t>(mistake.prediction)];
  }
  return table;
}

std::vector<int64_t> wrong_rows(const Mistakes& found) {
  std::vector<int64_t> rows;
  for (const Mistake& mistake : found.mistakes) rows.push_back(mistake.row);
  std::ranges::sort(rows);
  return rows;
}

bool on_same_images(const Mistakes& first, const Mistakes& second) {
  const bool same_rows = first.role == EvaluatedImages::kTest || first.split_digest == second.split_digest;
  return same_rows && first.role == second.role && first.data_digest == second.data_digest &&
         first.images == second.images;
}

McNemarTest mcnemar(const Mistakes& first, const Mistakes& second) {
  if (!on_same_images(first, second)) {
    throw Error(fmt::format(
        "cannot compare runs on different images: {} {} images of data {:.12} against {} {} images of data "
        "{:.12}; evaluate both runs on the same images",
        first.images, name_of(first.role), first.data_digest, second.images, name_of(second.role), second.data_digest));
  }
  return mcnemar_test(wrong_rows(first), wrong_rows(second));
}

}  // namespace frgan

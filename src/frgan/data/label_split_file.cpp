#include "frgan/data/label_split_file.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <unordered_map>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using Rows = std::vector<int64_t>;

constexpr const char* kSplitFormat = "frgan label split 1";
constexpr const char* kFileSplitFormat = "frgan label split 2";
constexpr size_t kDigestDigits = 64;

// Number of shown labels that differ from the true ones.
int64_t wrong_labels(const LabelSplit& split, const KnownLabels& data) {
  int64_t wrong = 0;
  for (size_t i = 0; i < split.shown.size(); ++i) wrong += split.shown[i] != data.labels[split.labeled[i]] ? 1 : 0;
  return wrong;
}

// "SHA-256 PATH" of each training image; empty if they are not files.
std::vector<std::string> file_entries(const KnownLabels& data) {
  std::vector<std::string> entries(data.digests.begin(), data.digests.end());
  for (size_t i = 0; i < data.files.size(); ++i) entries[i] += ' ' + one_line(data.files[i]);
  return entries;
}

// "row 3", or the file at that row.
std::string text_of(int64_t row, const KnownLabels& data) {
  const auto i = static_cast<size_t>(row);
  return i < data.files.size() ? one_line(data.files[i]) : fmt::format("row {}", row);
}

// The images under `key` as rows of the data, in the order of the list.
Rows rows_of_files(const Json& json, const char* key, const KnownLabels& data, std::string_view name) {
  std::unordered_map<std::string_view, int64_t> rows;
  for (size_t i = 0; i < data.digests.size(); ++i) rows.emplace(data.digests[i], static_cast<int64_t>(i));
  Rows found;
  std::vector<std::string> missing;
  for (const auto& entry : json.at(key).get<std::vector<std::string>>()) {
    const std::string digest = entry.substr(0, kDigestDigits);
    if (digest.size() < kDigestDigits || digest.find_first_not_of("0123456789abcdef") != std::string::npos) {
      throw Error(
          fmt::format("{}: '{}' contains {}; expected the SHA-256 of a file in hexadecimal digits, and its path", name,
                      key, quoted(entry.substr(0, kDigestDigits))));
    }
    const auto row = rows.find(digest);
    row == rows.end() ? missing.push_back(entry) : found.push_back(row->second);
  }
  if (missing.empty()) return found;
  throw Error(
      fmt::format("{}: {} in '{}' not found in {} any more, by content: {}{}; restore the files, or draw a new "
                  "split",
                  name, counted(std::ssize(missing), "image"), key, data.description,
                  missing.front().size() > kDigestDigits ? missing.front().substr(kDigestDigits + 1) : missing.front(),
                  missing.size() > 1 ? ", ..." : ""));
}

// The list of rows or files under `key` as rows.
Rows listed_rows(const Json& json, const char* key, const KnownLabels& data, std::string_view name) {
  return json.at("format") == kFileSplitFormat ? rows_of_files(json, key, data, name) : json.at(key).get<Rows>();
}

// The rows under `key`, sorted. Checks that each one is a labeled training image and occurs once.
Rows read_rows(const Json& json, const char* key, const KnownLabels& data, std::string_view name) {
  const Json& list = json.at(key);
  const bool is_of_files = json.at("format") == kFileSplitFormat;
  if (!list.is_array()) {
    throw Error(fmt::format("{}: '{}' is not a list of {}", name, key, is_of_files ? "files" : "rows"));
  }
  Rows rows;
  if (is_of_files) {
    rows = rows_of_files(json, key, data, name);
  } else {
    for (const Json& item : list) rows.push_back(item.is_count() ? item.get<int64_t>() : -1);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t row = rows[i];
    if (row < 0 || row >= data.size()) {
      constexpr size_t kShown = 60;
      throw Error(fmt::format("{}: '{}' contains {}; rows must be 0 to {}", name, key, list[i].dump().substr(0, kShown),
                              data.size() - 1));
    }
    if (data.labels[row] < 0) {
      throw Error(fmt::format("{}: '{}' contains {}, an unlabeled image", name, key, text_of(row, data)));
    }
  }
  std::sort(rows.begin(), rows.end());
  const auto twice = std::adjacent_find(rows.begin(), rows.end());
  if (twice != rows.end()) throw Error(fmt::format("{}: '{}' contains {} twice", name, key, text_of(*twice, data)));
  return rows;
}

// Reads the rows that the training may use. They must include the labeled rows, but no development images.
void read_kept(LabelSplit& split, const Json& json, const KnownLabels& data, std::string_view name) {
  split.kept = listed_rows(json, "kept", data, name);
  if (json.at("format") == kFileSplitFormat) std::sort(split.kept.begin(), split.kept.end());
  const Rows& kept = split.kept;
  const bool ascending = std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end();
  if (!ascending || (!kept.empty() && (kept.front() < 0 || kept.back() >= data.size()))) {
    throw Error(fmt::format("{}: 'kept' must be a list of ascending rows from 0 to {}", name, data.size() - 1));
  }
  for (const int64_t row : split.dev) {
    if (!std::binary_search(kept.begin(), kept.end(), row)) continue;
    throw Error(fmt::format("{}: {} is in both 'kept' and 'dev'", name, text_of(row, data)));
  }
  if (!kept.empty() && !std::includes(kept.begin(), kept.end(), split.labeled.begin(), split.labeled.end())) {
    throw Error(fmt::format("{}: a row of 'labeled' is missing in 'kept'", name));
  }
}

// Reads the shown labels and the label noise.
void read_shown(LabelSplit& split, const Json& json, const KnownLabels& data, std::string_view name) {
  split.shown = json.at("shown").get<Rows>();
  if (listed_rows(json, "labeled", data, name) != split.labeled || split.shown.size() != split.labeled.size()) {
    throw Error(
        fmt::format("{}: 'shown' needs one label per row of 'labeled', and 'labeled' in ascending order", name));
  }
  for (const int64_t label : split.shown) {
    if (label >= 0 && label < std::ssize(data.class_names)) continue;
    throw Error(
        fmt::format("{}: 'shown' contains {}; classes must be 0 to {}", name, label, data.class_names.size() - 1));
  }
  const Json noise = json.value("label_noise", Json::object());
  split.noise = {noise.value("level", 0.0), noise.value("kind", std::string("file")), noise.value("seed", int64_t{0})};
}

}  // namespace

void finish_label_split(LabelSplit& split, const KnownLabels& data) {
  split.data_digest = data.digest;
  split.train_images = data.size();
  split.counts.assign(data.class_names.size(), 0);
  for (const int64_t row : split.labeled) ++split.counts[data.labels[row]];
  for (size_t c = 0; c < split.counts.size(); ++c) {
    if (split.counts[c] > 0) continue;
    split.notes.push_back(fmt::format("class {} has no labeled image", quoted(data.class_names[c])));
  }
  if (!split.shown.empty()) {
    const int64_t wrong = wrong_labels(split, data);
    split.notes.push_back(fmt::format("label noise: {} of {} labels are wrong ({:.1f} %)", wrong, split.labeled.size(),
                                      100 * static_cast<double>(wrong) / static_cast<double>(split.labeled.size())));
  }
  split.images = file_entries(data);
  const bool is_of_files = !split.images.empty();
  // Digests of files in ascending order: the order of rows depends on the labels, too.
  const auto list = [&](const Rows& rows) {
    if (!is_of_files) return fmt::format("{}", fmt::join(rows, " "));
    std::vector<std::string> digests;
    for (const int64_t row : rows) digests.push_back(data.digests[static_cast<size_t>(row)]);
    std::sort(digests.begin(), digests.end());
    return fmt::format("{}", fmt::join(digests, " "));
  };
  std::string text = is_of_files ? fmt::format("{}\n", kFileSplitFormat)
                                 : fmt::format("{}\n{}\n{}\n", kSplitFormat, split.data_digest, split.train_images);
  text += fmt::format("labeled {}\ndev {}\n", list(split.labeled), list(split.dev));
  if (!split.kept.empty()) text += fmt::format("kept {}\n", list(split.kept));
  if (!split.shown.empty()) text += fmt::format("shown {}\n", fmt::join(split.shown, " "));
  split.digest = sha256(bytes_of(text));
}

Json label_split_json(const LabelSplit& split) {
  const auto list = [&](const Rows& rows) {
    if (split.images.empty()) return Json(rows);
    Json files = Json::array();
    for (const int64_t row : rows) files.push_back(split.images[static_cast<size_t>(row)]);
    return files;
  };
  Json json = {{"format", split.images.empty() ? kSplitFormat : kFileSplitFormat},
               {"data_digest", split.data_digest},
               {"train_images", split.train_images},
               {"mode", split.mode},
               {"seed", split.seed},
               {"counts", split.counts},
               {"digest", split.digest},
               {"labeled", list(split.labeled)},
               {"dev", list(split.dev)}};
  if (!split.kept.empty()) json["kept"] = list(split.kept);
  if (!split.shown.empty()) {
    json["shown"] = split.shown;
    json["label_noise"] = {{"level", split.noise.level}, {"kind", split.noise.kind}, {"seed", split.noise.seed}};
  }
  return json;
}

LabelSplit label_split_from_json(const Json& json, const KnownLabels& data, std::string_view name) try {
  const std::string format = json.is_object() ? json.value("format", "") : "";
  if (format != kSplitFormat && format != kFileSplitFormat) {
    throw Error(fmt::format("{}: not a frgan label split; expected an object with \"format\": \"{}\" or \"{}\"", name,
                            kSplitFormat, kFileSplitFormat));
  }
  if (format == kFileSplitFormat && data.digests.empty()) {
    throw Error(fmt::format("{}: label split of image files; {} is not read from image files", name, data.description));
  }
  const auto images = json.at("train_images").get<int64_t>();
  const auto digest = json.at("data_digest").get<std::string>();
  const bool needs_same_data = format == kSplitFormat || json.contains("shown");
  if (needs_same_data && (images != data.size() || digest != data.digest)) {
    throw Error(fmt::format(
        "{}: label split of other data: {} training images, digest {:.12}; {} has {}, digest {:.12}; use the "
        "same data, --image-size and --channels",
        name, images, digest, data.description, data.size(), data.digest));
  }
  LabelSplit split;
  split.mode = json.value("mode", "file");
  split.seed = json.value("seed", int64_t{0});
  split.labeled = read_rows(json, "labeled", data, name);
  if (split.labeled.empty()) throw Error(fmt::format("{}: 'labeled' is empty; at least one row is needed", name));
  if (json.contains("dev")) split.dev = read_rows(json, "dev", data, name);
  Rows both;
  std::set_intersection(split.labeled.begin(), split.labeled.end(), split.dev.begin(), split.dev.end(),
                        std::back_inserter(both));
  if (!both.empty()) {
    throw Error(fmt::format("{}: {} is in both 'labeled' and 'dev'", name, text_of(both.front(), data)));
  }
  if (json.contains("kept")) read_kept(split, json, data, name);
  if (json.contains("shown")) read_shown(split, json, data, name);
  finish_label_split(split, data);
  if (json.contains("digest") && json.at("digest") != split.digest) {
    throw Error(fmt::format(
        "{}: the rows do not match the digest; if you changed them on purpose, remove the key 'digest'", name));
  }
  return split;
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: incomplete or invalid label split ({})", name, error.what()));
}

void write_label_split(const std::filesystem::path& path, const LabelSplit& split) {
  const Json json = label_split_json(split);
  std::string text = "{";
  for (const auto& [key, value] : json.items()) {
    text += fmt::format("{}\n  \"{}\": {}", text.size() == 1 ? "" : ",", key, value.dump());
  }
  write_file_safely(path, text + "\n}\n");
}

}  // namespace frgan

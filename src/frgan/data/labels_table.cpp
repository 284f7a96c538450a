#include "frgan/data/labels_table.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/csv.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

constexpr int64_t kLargestTable = int64_t{1} << 28;  // bytes

}  // namespace

std::vector<FileLabel> read_labels_table(const std::filesystem::path& path) {
  const std::string name = path.string();
  const std::vector<CsvRecord> records = parse_csv(read_file(path, kLargestTable), name);
  const std::vector<std::string> header{"file", "label"};
  if (records.empty()) throw Error(fmt::format("{}: empty; expected the header file,label", name));
  if (records.front().fields != header) {
    throw Error(fmt::format("{}, line {}: the header is {}; expected file,label", name, records.front().line,
                            quoted(fmt::format("{}", fmt::join(records.front().fields, ",")))));
  }
  std::vector<FileLabel> labels;
  std::map<std::string, std::pair<std::string, int64_t>> known;  // label and line by file
  for (size_t i = 1; i < records.size(); ++i) {
    const CsvRecord& record = records[i];
    const auto refuse = [&](const std::string& problem) {
      throw Error(fmt::format("{}, line {}: {}", name, record.line, problem));
    };
    if (record.fields.size() != 2) {
      refuse(fmt::format("{}; expected file,label; a name with a comma needs quotes",
                         counted(std::ssize(record.fields), "field")));
    }
    const std::string& file = record.fields[0];
    const std::string& label = record.fields[1];
    if (file.empty()) refuse("no file");
    if (label.empty()) refuse(fmt::format("no label for {}; remove the line of an unlabeled image", quoted(file)));
    if (quoted(label) != '"' + label + '"') {
      refuse(fmt::format("invalid class name {}; use UTF-8 text without quotes, backslashes or control characters",
                         quoted(label)));
    }
    const auto [before, is_new] = known.try_emplace(file, label, record.line);
    const auto& [earlier_label, earlier_line] = std::as_const(before->second);
    if (is_new) {
      labels.push_back({file, label, record.line});
    } else if (earlier_label != label) {
      refuse(fmt::format("{} has the label {}, but {} in line {}; keep one of the two lines", quoted(file),
                         quoted(label), quoted(earlier_label), earlier_line));
    }
  }
  if (labels.empty()) throw Error(fmt::format("{}: no labels; expected lines with file,label", name));
  return labels;
}

std::string labels_table_text(const std::vector<FileLabel>& labels) {
  std::string text = "file,label\n";
  for (const FileLabel& entry : labels) text += fmt::format("{},{}\n", csv_text(entry.file), csv_text(entry.label));
  return text;
}

}  // namespace frgan

// JSON Lines: a file with one object per line, appended during a run (metrics.jsonl).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/io/files.h"

namespace frgan {

// Appends lines to a file. Each line is visible at once and complete (see GrowingFile). Opening an existing file drops
// a truncated last line, which a killed program may leave.
//
//   JsonLinesWriter log(run / "metrics.jsonl");
//   log.write({{"step", 100}, {"loss", 0.5}});
class JsonLinesWriter {
 public:
  // Creates the file if needed. Throws an Error that names the file if it cannot be written.
  explicit JsonLinesWriter(const std::filesystem::path& path);

  // Writes NaN as null. Throws an Error if the line cannot be written completely, for example on a full disk; the file
  // is unchanged then.
  void write(const Json& line);

 private:
  GrowingFile file_;
};

// The objects of all complete lines; a truncated last line is skipped. Throws an Error that names the file and the line
// if a line is not a JSON object.
std::vector<Json> read_json_lines(const std::filesystem::path& path);

// Removes the lines with a "step" above `step`, which a resumed run writes again, and a truncated last line. Keeps
// lines without a step. Does nothing if the file does not exist.
void truncate_json_lines(const std::filesystem::path& path, int64_t step);

}  // namespace frgan

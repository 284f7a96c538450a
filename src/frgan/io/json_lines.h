// JSON Lines: a file with one object per line, appended during a run (metrics.jsonl).
//
//   {"step":100,"loss":0.5,"crc32c":"8e1d3f0a"}
//
// "crc32c" is the CRC-32C of the line without this key: of {"step":100,"loss":0.5} here. A line whose checksum differs
// is damaged. Older files have no checksums.
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
  // Waits until all lines are on disk.
  void sync() { file_.sync(); }

 private:
  GrowingFile file_;
};

struct JsonLines {
  std::vector<Json> objects;          // of the intact lines, in order, without checksums
  std::vector<int64_t> damaged = {};  // numbers of the damaged lines, counted from 1
};
// The complete lines of a file; a truncated last line is skipped.
JsonLines read_json_lines(const std::filesystem::path& path);

// Prepares a file for a run that continues after `step`. Removes the lines with a later "step", which the run writes
// again, and a truncated last line. Moves damaged lines to FILE.damaged. Keeps lines without a step. Does nothing if
// the file does not exist.
struct RepairedLines {
  std::vector<Json> kept;  // the objects of the lines that remain, in order, without checksums
  int64_t damaged = 0;     // number of lines that were moved
};
RepairedLines repair_json_lines(const std::filesystem::path& path, int64_t step);

}  // namespace frgan

// JSON Lines: one object a line, appended while a run goes on (metrics.jsonl).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "frgan/io/files.h"

namespace frgan {

// Appends lines to a file, each whole and at once (GrowingFile). A last line that a killed program left cut is dropped
// when the file is opened again.
//
//   JsonLinesWriter log(run / "metrics.jsonl");
//   log.write({{"step", 100}, {"loss", 0.5}});
class JsonLinesWriter {
 public:
  // Makes the file where there is none. Throws an Error that names it when it cannot be written.
  explicit JsonLinesWriter(const std::filesystem::path& path);

  // Throws when the line cannot be written whole (full disk); the file is then as it was. NaN becomes null.
  void write(const nlohmann::ordered_json& line);

 private:
  GrowingFile file_;
};

// All whole lines; a cut last one is passed over. Throws an Error that names file and line when one is no JSON object.
std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path);

// Drops the lines whose "step" is above `step`, and a cut last line: what a resumed run will write again. Lines without
// a step stay. A file that does not exist is left so.
void truncate_json_lines(const std::filesystem::path& path, int64_t step);

}  // namespace frgan

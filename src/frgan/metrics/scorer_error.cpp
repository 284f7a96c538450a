#include "frgan/metrics/scorer_error.h"

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/core/run_files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr double kReliable = 0.2;  // highest error of a scorer without a warning

}  // namespace

std::optional<double> scorer_test_error(const fs::path& scorer) try {
  const bool is_checkpoint = fs::exists(scorer / kCheckpointStateFile);  // RUN/checkpoints/step-NNNNNNNN
  const fs::path summary = (is_checkpoint ? scorer / ".." / ".." : scorer) / kSummaryFile;
  if (!fs::exists(summary)) return std::nullopt;
  const Json run = read_json_object(summary);
  const Json* const test = run.find("test");
  const Json* const error = test == nullptr ? nullptr : test->find("test_error");
  return error == nullptr || !error->is_number() ? std::nullopt : std::optional(error->get<double>());
} catch (const Error&) {
  return std::nullopt;  // a damaged summary
} catch (const fs::filesystem_error&) {
  return std::nullopt;
}

void judge_scorer(const fs::path& scorer, const Messages& messages) {
  const std::optional<double> error = scorer_test_error(scorer);
  if (!error) {
    messages.note(
        fmt::format("scorer {}: its test error is unknown; scores are reliable only if it is low", scorer.string()));
  } else if (*error > kReliable) {
    messages.warning(fmt::format(
        "scorer {} has a test error of {:.0f} %; scores are unreliable; use a scorer that is trained on all labels "
        "(frgan train --preset scorer)",
        scorer.string(), 100 * *error));
  }
}

}  // namespace frgan

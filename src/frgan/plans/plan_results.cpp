#include "frgan/plans/plan_results.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/methods/methods.h"

namespace frgan {
namespace {

// "width = 0.5, batch-size = 16"
std::string settings_text(const std::vector<Setting>& settings) {
  std::vector<std::string> texts;
  texts.reserve(settings.size());
  for (const Setting& setting : settings) {
    texts.push_back(fmt::format("{} = {}", setting.name, setting_text(setting.value)));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

// Row names by citation, in order of the rows.
std::vector<std::pair<std::string, std::vector<std::string>>> rows_by_source(const std::vector<PlanRow>& rows) {
  std::vector<std::pair<std::string, std::vector<std::string>>> found;
  for (const PlanRow& row : rows) {
    if (row.source.empty()) continue;
    const auto same =
        std::find_if(found.begin(), found.end(), [&](const auto& item) { return item.first == row.source; });
    if (same == found.end()) {
      found.push_back({row.source, {row.name}});
    } else {
      same->second.push_back(row.name);
    }
  }
  return found;
}

}  // namespace

PlanResults::PlanResults(const Plan& plan, const Budget& budget, std::vector<PlannedRun> runs,
                         std::vector<RunRecord> records)
    : plan_(plan), budget_(budget), runs_(std::move(runs)), records_(std::move(records)) {
  for (const PlannedRun& run : runs_) seeds_ = std::max(seeds_, run.seed);
}

const RunRecord* PlanResults::record_of(const PlannedRun& run) const {
  // Keys of fr-gan and supervised do not contain the method.
  const std::string method = run.options.value("method", "");
  const auto found = std::find_if(records_.begin(), records_.end(), [&](const RunRecord& record) {
    return record.key == run.key && (method.empty() || record.options.value("method", method) == method);
  });
  return found == records_.end() ? nullptr : &*found;
}

const RunRecord* PlanResults::find(size_t row, size_t section, int64_t seed) const {
  for (const PlannedRun& run : runs_) {
    if (run.row == row && run.section == section && run.seed == seed) return record_of(run);
  }
  return nullptr;
}

std::vector<const RunRecord*> PlanResults::of(size_t row, size_t section) const {
  std::vector<const RunRecord*> records;
  for (int64_t seed = 1; seed <= seeds_; ++seed) {
    if (const RunRecord* record = find(row, section, seed)) records.push_back(record);
  }
  return records;
}

std::string PlanResults::data_digest() const {
  for (const PlannedRun& run : runs_) {
    if (const RunRecord* record = record_of(run)) return record->data_digest;
  }
  return "";
}

void PlanResults::check_any() const {
  const auto has_record = [&](const PlannedRun& run) { return record_of(run) != nullptr; };
  if (records_.empty() || std::any_of(runs_.begin(), runs_.end(), has_record)) return;
  throw Error(
      fmt::format("{}: none of the {} stored results matches this plan (other data, recipe or options); tables not "
                  "replaced; choose another folder with --output",
                  plan_.name, records_.size()));
}

bool PlanResults::same_splits() const {
  std::map<std::pair<size_t, int64_t>, std::string> splits;  // digests by section and seed
  for (const PlannedRun& run : runs_) {
    const RunRecord* record = record_of(run);
    if (record == nullptr) continue;
    const std::string split = record->summary.value("split_digest", "");
    if (splits.try_emplace({run.section, run.seed}, split).first->second != split) return false;
  }
  return true;
}

std::vector<std::string> PlanResults::notes() const {
  std::vector<std::string> notes;
  // Runs that are planned from records may lack the length of an epoch.
  const auto known =
      std::find_if(runs_.begin(), runs_.end(), [](const PlannedRun& planned) { return planned.steps_per_epoch > 0; });
  if (known != runs_.end()) {
    if (!budget_.note.empty()) notes.push_back(budget_.note);
    notes.push_back(
        fmt::format("Budget {}: {} steps, {:.3g} epochs{}{}.", budget_.name, known->steps,
                    static_cast<double>(known->steps) / static_cast<double>(known->steps_per_epoch),
                    budget_.settings.empty() ? "" : "; overrides of the presets: ", settings_text(budget_.settings)));
  }
  const auto left_out = [&](const std::string& reason, auto&& is_other) {
    const auto count = std::count_if(records_.begin(), records_.end(), is_other);
    if (count > 0) notes.push_back(fmt::format("{} left out: {}.", counted(count, "result"), reason));
  };
  left_out("recipe other than that of this version of frgan", [](const RunRecord& record) {
    const MethodInfo* const method = find_method(record.options.value("method", ""));
    return method == nullptr || record.recipe != method->recipe;
  });
  left_out("other dataset", [&](const RunRecord& record) {
    return std::none_of(runs_.begin(), runs_.end(),
                        [&](const PlannedRun& run) { return run.data_digest == record.data_digest; });
  });
  for (const auto& [source, rows] : rows_by_source(plan_.rows)) {
    notes.push_back(fmt::format("Published in {}: {}.", source, fmt::join(rows, "; ")));
  }
  for (const PlanRow& row : plan_.rows) {
    if (!row.note.empty()) notes.push_back(fmt::format("{}: {}", row.name, row.note));
  }
  return notes;
}

}  // namespace frgan

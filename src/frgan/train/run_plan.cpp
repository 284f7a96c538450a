#include "frgan/train/run_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"

namespace frgan {

std::string plan_text(const RunPlan& plan) {
  std::string text = fmt::format("data: {}\n", plan.data);
  for (const std::string& note : plan.notes) text += fmt::format("note: {}\n", note);
  size_t width = 5;
  for (const ClassImages& images : plan.classes) width = std::max(width, images.name.size());
  const std::string row = "  {:<{}}  {:>8}  {:>9}  {:>8}  {:>8}\n";
  text += fmt::format(fmt::runtime(row), "class", width, "labeled", "unlabeled", "dev", "test");
  const auto add_row = [&](const ClassImages& images) {
    text +=
        fmt::format(fmt::runtime(row), images.name, width, images.labeled, images.unlabeled, images.dev, images.test);
  };
  const size_t shown = std::min<size_t>(plan.classes.size(), 20);
  for (size_t label = 0; label < shown; ++label) add_row(plan.classes[label]);
  if (shown < plan.classes.size()) text += fmt::format("  ... and {} more classes\n", plan.classes.size() - shown);
  if (plan.without_label > 0) add_row({.name = "(unknown)", .unlabeled = plan.without_label});
  add_row(plan.all);

  text += fmt::format(
      "{} for {} steps ({:.1f} epochs), {} on {}, {} thread{}\n"
      "expected time: about {} ({:.3g} s per step, without evaluations); peak memory so far: {:.1f} GiB\n",
      plan.method, plan.steps, plan.epochs, plan.precision, plan.device, plan.threads, plan.threads == 1 ? "" : "s",
      duration_text(plan.seconds_per_step * static_cast<double>(plan.steps_left)), plan.seconds_per_step,
      static_cast<double>(this_machine().peak_memory_bytes) / (1 << 30));
  text += "weights of the loss terms at the start, after a third and at the end of the run:\n";
  for (const TermWeights& term : plan.terms) {
    text +=
        fmt::format("  {:<18} {:.4g}  {:.4g}  {:.4g}\n", term.name, term.weights[0], term.weights[1], term.weights[2]);
  }
  return text;
}

}  // namespace frgan

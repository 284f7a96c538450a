#include "frgan/train/run_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"

namespace frgan {

std::string plan_text(const RunPlan& plan) {
  std::string text = fmt::format("data: {}\n", one_line(plan.data));
  if (!plan.encoder.empty()) text += fmt::format("weights: {}\n", one_line(plan.encoder));
  for (const std::string& note : plan.notes) text += fmt::format("note: {}\n", one_line(note));
  size_t width = 5;
  for (const ClassImages& images : plan.classes) width = std::max(width, one_line(images.name).size());
  const std::string row = "  {:<{}}  {:>8}  {:>9}  {:>8}  {:>8}\n";
  text += fmt::format(fmt::runtime(row), "class", width, "labeled", "unlabeled", "dev", "test");
  const auto add_row = [&](const ClassImages& images) {
    text += fmt::format(fmt::runtime(row), one_line(images.name), width, images.labeled, images.unlabeled, images.dev,
                        images.test);
  };
  const size_t shown = std::min<size_t>(plan.classes.size(), 20);
  for (size_t label = 0; label < shown; ++label) add_row(plan.classes[label]);
  if (shown < plan.classes.size()) text += fmt::format("  ... and {} more classes\n", plan.classes.size() - shown);
  if (plan.without_label > 0) add_row({.name = "(unknown)", .unlabeled = plan.without_label});
  add_row(plan.all);

  text += fmt::format(
      "{} for {} ({:.1f} epochs), {} on {}, {}\n"
      "expected time: about {} ({} of {:.3g} s, {} of {:.3g} s); expected peak memory: {:.2f} GiB\n",
      plan.method, counted(plan.steps, "step"), plan.epochs, plan.precision, plan.device,
      counted(plan.threads, "thread"), duration_text(plan.seconds_left), counted(plan.steps_left, "step"),
      plan.seconds_per_step, counted(plan.evaluations_left, "evaluation"), plan.seconds_per_evaluation,
      static_cast<double>(plan.peak_memory_bytes) / (1 << 30));
  text += "weights of the loss terms at the start, after a third and at the end of the run:\n";
  for (const TermWeights& term : plan.terms) {
    text +=
        fmt::format("  {:<18} {:.4g}  {:.4g}  {:.4g}\n", term.name, term.weights[0], term.weights[1], term.weights[2]);
  }
  return text;
}

}  // namespace frgan

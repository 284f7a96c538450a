// frgan reproduce: the tables and figures of the paper, one command each.
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/plan_command.h"
#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/plans/paper_plans.h"
#include "frgan/tables/paper_layers.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// A table or figure that shows the networks and needs no training.
struct Drawing {
  std::string_view name, summary;
  void (*make)(const fs::path& output);
};

void make_table1(const fs::path& output) {
  const Table table = layers_table(PaperNetworks());
  write_table(output, "table1", table);
  print_unattended("{}", markdown_of(table));
  print_written(output / "table1.{md,csv,tex,html}");
}

void make_drawing(const fs::path& path, const std::string& drawing) {
  ensure_directory(path.parent_path());
  write_file_safely(path, drawing);
  print_written(path);
}

constexpr std::array kDrawings = {
    Drawing{"figure1", "Figure 1: the architecture of FR-GAN, drawn from the networks as built",
            [](const fs::path& output) { make_drawing(output / "figure1.svg", frame_drawing(PaperNetworks())); }},
    Drawing{"figure2", "Figure 2: the squeeze-and-excitation block, with the shapes as built",
            [](const fs::path& output) {
              make_drawing(output / "figure2.svg", squeeze_excitation_drawing(PaperNetworks()));
            }},
    Drawing{"table1", "Table 1: layers, shapes and parameters of the networks as built", make_table1},
};

constexpr std::string_view kReproduceExamples[] = {
    "reproduce table1",
    "reproduce table3 --budget hour --dry-run",
    "reproduce table3 --budget hour --rows fr-gan,gan --seeds 2",
};

std::string summary() {
  std::string text =
      "Runs everything that a table or figure of the paper needs, and writes it. Completed runs are skipped, "
      "interrupted ones resumed.\n";
  for (const Drawing& drawing : kDrawings) text += fmt::format("\n  {:<9} {}", drawing.name, drawing.summary);
  for (const PaperPlan& plan : all_paper_plans()) text += fmt::format("\n  {:<9} {}", plan.name, plan.summary);
  return text;
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  names.reserve(std::size(kDrawings) + all_paper_plans().size());
  for (const Drawing& drawing : kDrawings) names.emplace_back(drawing.name);
  for (const PaperPlan& plan : all_paper_plans()) names.emplace_back(plan.name);
  return names;
}

Error unknown_name(const std::string& name) {
  const std::vector<std::string> names = known_names();
  return usage_error(fmt::format("unknown table or figure '{}'{}; available: {}", name, nearest_hint(name, names),
                                 fmt::join(names, ", ")));
}

}  // namespace

int run_reproduce(std::span<const std::string> arguments) {
  const std::string text = summary();
  const std::vector<std::string> names = known_names();
  const Syntax syntax = {"reproduce", "TABLE_OR_FIGURE", text, 1, 1, kPlanImportant, kReproduceExamples, names};
  PlanOptions options;
  OptionSet set;
  describe(set, options, PlanOrigin::kPaper);
  if (print_help(syntax, arguments, set)) return 0;
  const std::string name = read_arguments(syntax, arguments, set).front();
  for (const Drawing& drawing : kDrawings) {
    if (drawing.name != name) continue;
    if (options.dry_run) {
      print_output("{}\nno training needed\n", drawing.summary);
    } else {
      ignore_broken_output();
      drawing.make(options.output.empty() ? "results/networks" : options.output);
    }
    return 0;
  }
  for (const PaperPlan& plan : all_paper_plans()) {
    if (plan.name == name) return run_plan(read_plan(plan.text, name), options);
  }
  throw unknown_name(name);
}

}  // namespace frgan

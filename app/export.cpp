// frgan export: writes a trained classifier for other programs.
#include "frgan/interchange/export.h"

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/notes.h"
#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr std::string_view kExportExamples[] = {
    "export runs/a exported",
    "export runs/a exported --overwrite",
};

constexpr Syntax kExportSyntax = {
    "export",
    "CHECKPOINT FOLDER",
    "Writes the classifier of a run for other programs: model.onnx with the resizing of images and calibrated "
    "probabilities, model.safetensors, config.json and a model card. docs/export.md describes the files.",
    2,
    2,
    {},
    kExportExamples};

struct ExportOptions {
  bool overwrite = false;
  bool allow_older = false;
  bool quiet = false;
};

void describe(OptionSet& options, ExportOptions& exported) {
  options.group("Output", /*saved=*/false);
  options.add("overwrite", exported.overwrite,
              "Replaces an earlier export in FOLDER; a folder with other files is still refused.");
  options.add("allow-older", exported.allow_older,
              "Uses an older checkpoint of a run whose newest one is corrupt; without this, that is an error.");
  add_quiet(options, exported.quiet);
}

}  // namespace

int run_export(std::span<const std::string> arguments) {
  ExportOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kExportSyntax, arguments, set)) return 0;
  const std::vector<std::string> words = read_arguments(kExportSyntax, arguments, set);
  const ExportSummary done = export_model(
      {.checkpoint = words[0], .folder = words[1], .overwrite = options.overwrite, .allow_older = options.allow_older},
      printed_messages(options.quiet));
  if (!options.quiet) {
    print_message("{}: {}, {} classes, images of {}x{}x{}, {:.2f} million weights, model.onnx {:.1f} MB\n",
                  one_line(done.checkpoint.string()), one_line(done.network), done.classes, done.image_size,
                  done.image_size, done.channels, static_cast<double>(done.weights) * 1e-6,
                  static_cast<double>(done.onnx_bytes) * 1e-6);
  }
  print_output("{}\n", one_line(words[1]));
  return 0;
}

}  // namespace frgan

// frgan methods: lists the methods, the networks and the presets.
#include "frgan/methods/methods.h"

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "frgan/nn/networks.h"
#include "frgan/settings/presets.h"

namespace frgan {

int run_methods(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {
      "methods", "",
      "Lists the methods (--method NAME), the networks (--network NAME) and the presets (--preset NAME)."};
  OptionSet options;
  if (print_help(kSyntax, arguments, options)) return 0;
  read_arguments(kSyntax, arguments, options);
  print_output("Methods (frgan train --method NAME):\n");
  for (const MethodInfo& method : all_methods()) print_output("  {:<22} {}\n", method.name, method.summary);
  print_output("\nNetworks (frgan train --network NAME):\n");
  for (const NetworkInfo& network : all_networks()) print_output("  {:<22} {}\n", network.name, network.summary);
  print_output("\nPresets (frgan train --preset NAME):\n");
  for (const Preset& preset : all_presets()) print_output("  {:<22} {}\n", preset.name, preset.summary);
  return 0;
}

}  // namespace frgan

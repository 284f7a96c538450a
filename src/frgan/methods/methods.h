// The table of methods. To add a method, write its source file and its test, and add a row in methods.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "frgan/core/options.h"

namespace frgan {

class Method;

struct MethodInfo {
  std::string_view name;
  std::string_view summary;
  // Version of the training algorithm: whether two runs with equal options are comparable. Increment it when a code
  // change alters results of this method beyond rounding, or changes a default. Results with different recipes are
  // never combined in a table, and a run cannot be resumed with another recipe. Recipe.MatchesStoredGoldenRun fails
  // when results change.
  int64_t recipe;
  std::unique_ptr<Method> (*create)();
  int64_t steps = 0;  // of every run; 0: the user chooses
  // Trains only the last layer of a network with published weights (--encoder).
  bool needs_encoder = false;
};

std::span<const MethodInfo> all_methods();
// The row of a method; null if the name is unknown.
const MethodInfo* find_method(std::string_view name);
// The recipe of a method. Throws like create_method.
int64_t recipe_of(std::string_view name);

// What shell completion offers for --method.
Suggestions method_suggestions();
// Throws a usage error for an unknown name; it suggests the nearest method.
std::unique_ptr<Method> create_method(std::string_view name);

// Registers the options of all other methods with `options`, the options of `method`. The error for such an option then
// names the method that it belongs to.
void mention_other_methods(OptionSet& options, std::string_view method);

}  // namespace frgan

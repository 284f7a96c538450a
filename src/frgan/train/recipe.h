// Whether two runs with the same options did the same.
#pragma once

#include <cstdint>

namespace frgan {

// Raised when a change of the code changes what a run comes to, beyond rounding: results of other recipes are never put
// into one table, and a run is not resumed by another recipe. A test, Recipe.IsTheGoldenOne, fails until it is raised.
constexpr int64_t kRecipe = 1;

}  // namespace frgan

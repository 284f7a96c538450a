// Version number of the training algorithm: whether two runs with equal options are comparable.
#pragma once

#include <cstdint>

namespace frgan {

// Increment when a code change alters results beyond rounding. Results with different recipes are never combined in a
// table, and a run cannot be resumed with another recipe. Recipe.MatchesStoredGoldenRun fails when results change.
constexpr int64_t kRecipe = 1;

}  // namespace frgan

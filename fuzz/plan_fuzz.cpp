// Fuzzes the reader of plans.
#include "frgan/plans/plan.h"
#include "only_errors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  frgan::expect_only_errors([&] {
    const frgan::Plan plan = frgan::read_plan({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
    if (plan.rows.empty() || plan.sections.empty() || plan.budgets.empty()) std::abort();
    if (plan.seeds < 1 || plan.seeds > 1000) std::abort();
  });
  return 0;
}

// The plans of the paper's tables and figures, from configs/reproduce/*.toml, compiled into the program.
#pragma once

#include <span>
#include <string_view>

namespace frgan {

struct PaperPlan {
  std::string_view name;     // of the file: "table3"
  std::string_view summary;  // its first line, a comment
  std::string_view text;     // TOML, for read_plan
};

// In the order of their names.
std::span<const PaperPlan> all_paper_plans();

}  // namespace frgan

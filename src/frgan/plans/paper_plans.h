// Plans that reproduce the paper's tables and figures: configs/reproduce/*.toml, compiled into the program.
#pragma once

#include <span>
#include <string_view>

namespace frgan {

struct PaperPlan {
  std::string_view name;     // file name without extension: "table3"
  std::string_view summary;  // the comment in the first line, without "# "
  std::string_view text;     // TOML for read_plan
};

// Sorted by name.
std::span<const PaperPlan> all_paper_plans();

}  // namespace frgan

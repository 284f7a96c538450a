// Version of this build. The build generates the source file of these functions.
#pragma once

#include <string_view>

namespace frgan {

std::string_view version();        // "0.1.0"
std::string_view source_commit();  // 40 hex digits, plus "-dirty" if tracked files are modified; "unknown" without git

}  // namespace frgan

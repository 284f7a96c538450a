// Which frgan this is. The functions' source is written at build time.
#pragma once

#include <string_view>

namespace frgan {

std::string_view version();        // "0.1.0"
std::string_view source_commit();  // 40 hex digits, with "-dirty" where tracked files differ; "unknown" without git

}  // namespace frgan

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/download.h"

namespace frgan {

void download(const std::string& url, const std::filesystem::path& path, const std::string& /*sha256*/,
              const DownloadProgress& /*progress*/, const DownloadLimits& /*limits*/) {
  throw Error(fmt::format("{}: cannot download: this build has no libcurl; save {} under this path yourself",
                          path.string(), url));
}

}  // namespace frgan

// Progress and stop of loading images.
#pragma once

#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "app/status_line.h"
#include "app/stop_signal.h"
#include "frgan/data/load_watch.h"

namespace frgan {

// Shows the progress on a terminal. A signal stops the work (call stop_on_signals first).
inline LoadWatch watch_loading(bool quiet) {
  LoadWatch watch;
  watch.stopped = [] { return stop_signal != 0; };
  if (quiet || isatty(STDERR_FILENO) == 0) return watch;
  watch.progress = [status = std::make_shared<StatusLine>(false)](int64_t done, int64_t total) {
    if (done == total) return status->clear();
    status->show(fmt::format("decoding image {} of {}", done, total));
  };
  return watch;
}

}  // namespace frgan

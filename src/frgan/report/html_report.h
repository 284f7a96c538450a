// Runs as one HTML page: what came out and why, for people to look at. It has no script and needs no network, is light
// or dark as its reader's other pages, prints, and can be read on a phone, by keyboard and by a screen reader.
#pragma once

#include <string>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// What the page says of itself.
struct ReportFrame {
  std::string date;     // "2026-11-25 09:12"
  std::string version;  // of frgan
};

//   std::vector<RunHistory> runs{read_run_history("runs/a"), read_run_history("runs/b")};
//   name_runs(runs);
//   write_file_safely("report.html", html_report(runs, {"2026-11-25 09:12", "0.1.0"}));
//
// At least one run, in the order in which they are shown.
std::string html_report(const std::vector<RunHistory>& runs, const ReportFrame& frame);

// The page's style sheet (html_style.cpp); `runs` of them can be hidden.
std::string report_style(size_t runs);

}  // namespace frgan

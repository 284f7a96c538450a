// Writes one or several runs as a single HTML page. The page has no script and needs no network. It follows the
// reader's light or dark theme, prints, and works on phones, by keyboard and with screen readers.
#pragma once

#include <string>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// Shown in the page header.
struct ReportFrame {
  std::string date;     // creation date, "2026-11-25 09:12"
  std::string version;  // frgan version
};

//   std::vector<RunHistory> runs{read_run_history("runs/a"), read_run_history("runs/b")};
//   name_runs(runs);
//   write_file_safely("report.html", html_report(runs, {"2026-11-25 09:12", "0.1.0"}));
//
// `runs` must hold at least one run; the page shows them in this order.
std::string html_report(const std::vector<RunHistory>& runs, const ReportFrame& frame);

// The page's style sheet (html_style.cpp), with the rules that hide the curves of `runs` runs.
std::string report_style(size_t runs);

}  // namespace frgan

// The sections of the HTML report. A section is empty if no run has data for it.
#pragma once

#include <string>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// html_overview.cpp: results, paired comparison, options, environment.
std::string summary_section(const std::vector<RunHistory>& runs);
std::string comparison_section(const std::vector<RunHistory>& runs);
std::string options_section(const std::vector<RunHistory>& runs);
std::string environment_section(const std::vector<RunHistory>& runs);

// html_quality.cpp: baselines, calibration, error by coverage.
std::string quality_section(const std::vector<RunHistory>& runs);

// html_curves.cpp: metrics over the training steps.
std::string error_curves_section(const std::vector<RunHistory>& runs);
std::string loss_curves_section(const std::vector<RunHistory>& runs);

// html_mistakes.cpp: results by class and by image.
std::string classes_section(const std::vector<RunHistory>& runs);
std::string confusion_section(const std::vector<RunHistory>& runs);
std::string mistakes_section(const std::vector<RunHistory>& runs);

// html_network.cpp: generated images, and squeeze-and-excitation gates.
std::string samples_section(const std::vector<RunHistory>& runs);
std::string gates_section(const std::vector<RunHistory>& runs);

}  // namespace frgan

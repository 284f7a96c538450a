// The sections of the HTML report, each empty where no run has anything for it.
#pragma once

#include <string>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// html_overview.cpp: what came out, runs against each other, what differs, where they ran.
std::string summary_section(const std::vector<RunHistory>& runs);
std::string comparison_section(const std::vector<RunHistory>& runs);
std::string options_section(const std::vector<RunHistory>& runs);
std::string environment_section(const std::vector<RunHistory>& runs);

// html_curves.cpp: over the steps.
std::string error_curves_section(const std::vector<RunHistory>& runs);
std::string loss_curves_section(const std::vector<RunHistory>& runs);

// html_mistakes.cpp: by class and image.
std::string classes_section(const std::vector<RunHistory>& runs);
std::string confusion_section(const std::vector<RunHistory>& runs);
std::string mistakes_section(const std::vector<RunHistory>& runs);

// html_network.cpp: what the generator makes, and what the gates do.
std::string samples_section(const std::vector<RunHistory>& runs);
std::string gates_section(const std::vector<RunHistory>& runs);

}  // namespace frgan

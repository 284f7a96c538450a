#include "frgan/train/run_request.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/augment.h"
#include "frgan/methods/classifier_training.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/nn/networks.h"

namespace frgan {

RunRequest::RunRequest() = default;
RunRequest::~RunRequest() = default;

void declare_run(RunRequest& request, const std::string& method) {
  request.method = create_method(method);
  request.run.method = method;
  request.run.steps = find_method(method)->steps;
  describe(request.options, request.run);
  request.method->describe(request.options);
  mention_other_methods(request.options, method);
}

void check_method(const RunRequest& request, const std::string& method) {
  if (request.run.method == method) return;
  throw usage_error(
      fmt::format("the options name the method '{}', but the run has the method '{}'", request.run.method, method));
}

std::unique_ptr<RunRequest> make_run_request(const std::string& method, const Json& options) {
  auto request = std::make_unique<RunRequest>();
  declare_run(*request, method);
  request->options.set_values(options, "options of the run");
  check_method(*request, method);
  return request;
}

std::vector<WithoutEffect> method_options_without_effect(const OptionSet& options, const Method* method) {
  std::vector<WithoutEffect> found = network_options_without_effect(options);
  std::ranges::move(training_options_without_effect(options), std::back_inserter(found));
  if (method != nullptr) std::ranges::move(method->options_without_effect(), std::back_inserter(found));
  return found;
}

void check_method_options(const OptionSet& options, const Method* method) {
  const std::vector<WithoutEffect> found = method_options_without_effect(options, method);
  if (!found.empty()) throw usage_error(found.front().message);
}

namespace {

void check_table_of_methods(const RunOptions& run) {
  const MethodInfo& method = *find_method(run.method);
  if (method.needs_encoder && run.encoder.file.empty()) {
    throw usage_error(
        fmt::format("--method {} needs published weights; give them with --encoder FILE.safetensors", run.method));
  }
  if (method.steps > 0 && (run.steps != method.steps || !run.time_budget.empty() || !run.plan.empty())) {
    throw usage_error(fmt::format(
        "--method {} solves its problem in one step; remove --steps, --epochs, --time-budget and --plan", run.method));
  }
}

}  // namespace

void validate(const RunRequest& request) {
  if (!request.run.time_budget.empty()) parse_duration(request.run.time_budget);
  check_table_of_methods(request.run);
  augmentation_policies(request.run.augmentation);
  check_method_options(request.options, request.method.get());
  request.method->validate();
}

}  // namespace frgan

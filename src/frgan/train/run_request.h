// A requested training run: its options, and the declarations that set them by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/core/options.h"
#include "frgan/train/run_options.h"

namespace frgan {

class Method;

// `options` declares all options of the run and points into `run` and `method`, so a request cannot be copied.
struct RunRequest {
  RunOptions run;
  std::unique_ptr<Method> method;
  OptionSet options;

  RunRequest();
  RunRequest(const RunRequest&) = delete;
  RunRequest& operator=(const RunRequest&) = delete;
  ~RunRequest();
};

// Creates the method and declares all options of a run with it. Throws a usage error for an unknown method.
void declare_run(RunRequest& request, const std::string& method);

// A request with the given options, an object of names and values; all others have their defaults. Throws a usage error
// for an unknown method or option, or an invalid value.
//
//   auto request = make_run_request("fr-gan", {{"data", "my-images"}, {"labels", 100}, {"steps", 3000}});
std::unique_ptr<RunRequest> make_run_request(const std::string& method, const Json& options = Json::object());

// Throws a usage error if the option `method` was set to another method than the request was made for.
void check_method(const RunRequest& request, const std::string& method);
// The options of a method that were changed but that its network, optimizer or decay does not use. Those
// that the method itself does not use are included if it is given.
std::vector<WithoutEffect> method_options_without_effect(const OptionSet& options, const Method* method = nullptr);
// Throws a usage error for the first of them.
void check_method_options(const OptionSet& options, const Method* method = nullptr);
// Checks what a single option's range cannot: time budget, augmentation and combinations of the method's options.
// Throws a usage error.
void validate(const RunRequest& request);

}  // namespace frgan

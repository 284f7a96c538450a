// The table of methods. A new one is a file, a test and a row in methods.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "frgan/methods/method.h"

namespace frgan {

struct MethodInfo {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<Method> (*create)();
};

std::span<const MethodInfo> all_methods();

// Throws a usage error that names the nearest method.
std::unique_ptr<Method> create_method(std::string_view name);

// Makes known to `options`, which are those of `method`, what belongs to the others: an error then says whose it is.
void mention_other_methods(OptionSet& options, std::string_view method);

}  // namespace frgan

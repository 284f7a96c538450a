// Whether a text is well-formed XML, as far as our pictures make use of it: tags, attributes in double quotes, text.
#pragma once

#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace frgan {

inline testing::AssertionResult well_formed(const std::string& text) {
  const std::regex tag(R"re(([A-Za-z]\w*)(\s+[\w:-]+="[^"<]*")*\s*(/?))re"),
      entity(R"(&(amp|lt|gt|quot|apos|#39);[\s\S]*)");
  const auto failure = [&](size_t at) {
    return testing::AssertionFailure() << "not well-formed at \"" << text.substr(at, 60) << '"';
  };
  for (size_t at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1)) {
    if (!std::regex_match(text.substr(at, 10), entity)) return failure(at);
  }
  std::vector<std::string> open;
  int roots = 0;
  for (size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    const size_t end = text.find('>', at);
    if (end == std::string::npos) return failure(at);
    const std::string inside = text.substr(at + 1, end - at - 1);
    std::smatch found;
    if (inside.starts_with('/')) {
      if (open.empty() || open.back() != inside.substr(1)) return failure(at);
      open.pop_back();
      continue;
    }
    if (!std::regex_match(inside, found, tag)) return failure(at);
    roots += open.empty() ? 1 : 0;
    if (found[3].length() == 0) open.push_back(found[1]);
  }
  if (!open.empty()) return testing::AssertionFailure() << "<" << open.back() << "> is not closed";
  if (roots != 1) return testing::AssertionFailure() << roots << " outermost elements";
  return testing::AssertionSuccess();
}

}  // namespace frgan

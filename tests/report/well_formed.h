// Checks for well-formed XML, limited to what our SVG files use: tags, attributes in double quotes, text.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace frgan {

// A parsed tag. An empty name means a syntax error. Parsed by hand because GCC 12's sanitizers report uninitialized
// memory in std::regex.
struct XmlTag {
  std::string name;
  bool closes_itself = false;
};

// `inside` is the text between < and >.
inline XmlTag parsed_tag(std::string_view inside) {
  const auto skip = [&](auto belongs) {
    const auto end = std::find_if_not(inside.begin(), inside.end(), belongs);
    const std::string taken(inside.begin(), end);
    inside.remove_prefix(taken.size());
    return taken;
  };
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  const auto is_name = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == ':'; };
  XmlTag tag{skip(is_name)};
  if (tag.name.empty() || std::isalpha(static_cast<unsigned char>(tag.name.front())) == 0) return {};
  while (!inside.empty()) {
    const bool separated = !skip(is_space).empty();
    if (inside.empty()) break;
    if (inside == "/") {
      tag.closes_itself = true;
      break;
    }
    if (!separated || skip(is_name).empty() || !inside.starts_with("=\"")) return {};
    inside.remove_prefix(2);
    const size_t end = inside.find_first_of("\"<");
    if (end == std::string_view::npos || inside[end] == '<') return {};
    inside.remove_prefix(end + 1);
  }
  return tag;
}

inline bool is_entity(std::string_view text) {
  constexpr std::string_view kKnown[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#39;"};
  return std::any_of(std::begin(kKnown), std::end(kKnown),
                     [&](std::string_view known) { return text.starts_with(known); });
}

inline testing::AssertionResult well_formed(const std::string& text) {
  const auto failure = [&](size_t at) {
    return testing::AssertionFailure() << "not well-formed at \"" << text.substr(at, 60) << '"';
  };
  for (size_t at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1)) {
    if (!is_entity(std::string_view(text).substr(at))) return failure(at);
  }
  std::vector<std::string> open;
  int roots = 0;
  for (size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    const size_t end = text.find('>', at);
    if (end == std::string::npos) return failure(at);
    const std::string inside = text.substr(at + 1, end - at - 1);
    if (inside.starts_with('/')) {
      if (open.empty() || open.back() != inside.substr(1)) return failure(at);
      open.pop_back();
      continue;
    }
    const XmlTag tag = parsed_tag(inside);
    if (tag.name.empty()) return failure(at);
    roots += open.empty() ? 1 : 0;
    if (!tag.closes_itself) open.push_back(tag.name);
  }
  if (!open.empty()) return testing::AssertionFailure() << "<" << open.back() << "> is not closed";
  if (roots != 1) return testing::AssertionFailure() << roots << " outermost elements";
  return testing::AssertionSuccess();
}

}  // namespace frgan

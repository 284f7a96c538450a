#include "frgan/core/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/old_names.h"

namespace frgan {
namespace {

// A value in a message: in single quotes if it is a text, with control characters escaped, at most 80 bytes.
std::string shown(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) return fmt::format("{}", value.get<double>());
  std::string text = value.dump();
  if (value.is_string()) text = fmt::format("'{}'", text.substr(1, text.size() - 2));
  return text.size() <= 80 ? text : text.substr(0, 80) + "...";
}

[[noreturn]] void reject(const Option& option, const Json& value, std::string_view source, std::string_view expected) {
  const bool typed = source.starts_with("--");
  throw usage_error(fmt::format("{}invalid {}{} {}: must be {}", typed ? "" : fmt::format("{}: ", source),
                                typed ? "--" : "", option.name, shown(value), expected));
}

// "a whole number, 1 to 100"
std::string kind_and_range(std::string_view kind, const Option& option) {
  const std::string range = option.allowed();
  return fmt::format("{}{}{}", kind, range.empty() ? "" : ", ", range);
}

bool readable(const std::string& text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string one_of(const Option& option) {
  return fmt::format("one of {}", fmt::join(option.choices, ", "));
}

constexpr std::string_view kReadable = "UTF-8 text without control characters";

void assign(bool& field, const Json& value, const Option& option, std::string_view source) {
  if (!value.is_boolean()) reject(option, value, source, "true or false");
  field = value.get<bool>();
}

void assign(int64_t& field, const Json& value, const Option& option, std::string_view source) {
  const auto low = option.integers.low, high = option.integers.high;
  if (!value.is_number_integer() || value.is_number_unsigned() || value.get<int64_t>() < low ||
      value.get<int64_t>() > high) {
    reject(option, value, source, kind_and_range("a whole number", option));
  }
  field = value.get<int64_t>();
}

void assign(double& field, const Json& value, const Option& option, std::string_view source) {
  const auto low = option.reals.low, high = option.reals.high;
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!std::isfinite(number) || number < low || number > high) {
    reject(option, value, source, kind_and_range("a finite number", option));
  }
  field = number;
}

void assign(std::string& field, const Json& value, const Option& option, std::string_view source) {
  if (!value.is_string()) reject(option, value, source, option.choices.empty() ? "a text" : one_of(option));
  const auto& text = value.text();
  if (!readable(text)) reject(option, value, source, kReadable);
  if (!option.choices.empty() &&
      std::find(option.choices.begin(), option.choices.end(), text) == option.choices.end()) {
    reject(option, value, source, one_of(option) + nearest_hint(text, option.choices));
  }
  field = text;
}

void assign(const EnumField& field, const Json& value, const Option& option, std::string_view source) {
  std::string word;
  assign(word, value, option, source);
  const auto found = std::find(option.choices.begin(), option.choices.end(), word);
  field.set_index(static_cast<size_t>(found - option.choices.begin()));
}

void assign(std::vector<std::string>& field, const Json& value, const Option& option, std::string_view source) {
  const auto good = [](const Json& part) { return part.is_string() && !part.text().empty() && readable(part.text()); };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), good)) {
    reject(option, value, source, "a list of non-empty texts");
  }
  field = value.get<std::vector<std::string>>();
}

// The parts between commas; "\," is a comma within a part.
Json split(std::string_view text) {
  Json parts = Json::array();
  std::string part;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') {
      part += text[++i];
    } else if (text[i] == ',') {
      parts.push_back(std::exchange(part, ""));
    } else {
      part += text[i];
    }
  }
  if (!text.empty()) parts.push_back(part);
  return parts;
}

// The number of insertions, deletions, replacements and swaps of neighbours between two texts.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last, last, row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last = std::move(last);
    last = row;
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

// Names that other programs use for our options.
std::string_view usual_name(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kUsualNames[] = {
      {"lr", "learning-rate"}, {"gpu", "device"},       {"cuda", "device"},       {"cpu", "device"},
      {"bs", "batch-size"},    {"batch", "batch-size"}, {"jobs", "threads"},      {"workers", "threads"},
      {"epoch", "epochs"},     {"epochs", "steps"},     {"iterations", "steps"},  {"max-steps", "steps"},
      {"dataset", "data"},     {"out", "output"},       {"output-dir", "run"},    {"model", "method"},
      {"time", "time-budget"}, {"dtype", "precision"},  {"num-labels", "labels"}, {"random-seed", "seed"}};
  const auto* const found = std::ranges::find(kUsualNames, name, &std::pair<std::string_view, std::string_view>::first);
  return found == std::end(kUsualNames) ? std::string_view() : found->second;
}

template <class T>
std::string range_text(const Range<T>& range) {
  const bool low = range.low > Range<T>{}.low, high = range.high < Range<T>{}.high;
  if (low && high) return fmt::format("{} to {}", range.low, range.high);
  if (low) return fmt::format("{} or more", range.low);
  if (high) return fmt::format("at most {}", range.high);
  return "";
}

}  // namespace

Json Option::value() const {
  if (const auto* access = std::get_if<EnumField>(&field)) return choices.at(access->index());
  return std::visit(
      [](const auto& pointer) {
        if constexpr (std::is_pointer_v<std::decay_t<decltype(pointer)>>) return Json(*pointer);
        return Json();
      },
      field);
}

void Option::set(const Json& value, std::string_view source) {
  std::visit(
      [&](auto& target) {
        if constexpr (std::is_pointer_v<std::decay_t<decltype(target)>>) {
          assign(*target, value, *this, source);
        } else {
          assign(target, value, *this, source);
        }
      },
      field);
  given = true;
  set_by = source;
}

void Option::set_text(std::string_view text, std::string_view source) {
  Json value = std::string(text);  // an unreadable number stays a text, which `set` rejects
  if (std::holds_alternative<bool*>(field)) {
    if (text == "true" || text == "false") value = text == "true";
  } else if (std::holds_alternative<std::vector<std::string>*>(field)) {
    value = split(text);
  } else {
    const auto read = [&](auto number) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc{} && end == text.data() + text.size()) value = number;
    };
    if (std::holds_alternative<int64_t*>(field)) read(int64_t{});
    if (std::holds_alternative<double*>(field)) read(double{});
  }
  set(value, source);
}

std::string Option::allowed() const {
  if (std::holds_alternative<bool*>(field)) return "true, false";
  if (std::holds_alternative<int64_t*>(field)) return range_text(integers);
  if (std::holds_alternative<double*>(field)) return range_text(reals);
  return fmt::format("{}", fmt::join(choices, ", "));
}

std::string_view Option::unit() const {
  return std::holds_alternative<int64_t*>(field) ? integers.unit : reals.unit;
}

void OptionSet::add(std::string name, bool& field, std::string help) {
  add({std::move(name), std::move(help), group_, &field});
}

void OptionSet::add(std::string name, int64_t& field, std::string help, Range<int64_t> range) {
  add({std::move(name), std::move(help), group_, &field, range});
}

void OptionSet::add(std::string name, double& field, std::string help, Range<double> range) {
  add({std::move(name), std::move(help), group_, &field, {}, range});
}

void OptionSet::add(std::string name, std::string& field, std::string help, Choices choices) {
  add({std::move(name), std::move(help), group_, &field, {}, {}, std::move(choices.words)});
}

void OptionSet::add(std::string name, std::string& field, std::string help, Suggestions suggestions) {
  add({std::move(name), std::move(help), group_, &field, {}, {}, {}, std::move(suggestions.words)});
}

void OptionSet::add(std::string name, std::vector<std::string>& field, std::string help) {
  add({std::move(name), std::move(help), group_, &field});
}

void OptionSet::add(Option option) {
  if (contains(option.name)) throw std::logic_error("option declared twice: " + option.name);
  option.saved = saved_;
  option.initial = option.value();
  try {
    option.set(option.initial, "default");
  } catch (const Error& error) {
    throw std::logic_error(error.what());
  }
  option.given = false;
  option.set_by.clear();
  options_.push_back(std::move(option));
}

void OptionSet::mention(const OptionSet& others, const std::string& owner) {
  for (const Option& option : others.all()) {
    std::string& owners = owners_[option.name];
    owners += (owners.empty() ? "" : " and ") + owner;
  }
}

Option& OptionSet::find(std::string_view name, std::string_view source) {
  std::vector<std::string> names;
  for (Option& option : options_) {
    if (option.name == current_name(name)) return option;
    names.push_back(option.name);
  }
  const bool typed = source == fmt::format("--{}", name);
  const std::string shown_name = typed ? std::string(source) : fmt::format("'{}'", name);
  const std::string place = typed ? "" : fmt::format("{}: ", source);
  if (const auto other = owners_.find(name); other != owners_.end()) {
    throw usage_error(
        fmt::format("{}option {} belongs to {}, which this run does not use; remove it, or change --method", place,
                    shown_name, other->second));
  }
  std::string nearest(usual_name(name));
  if (typed) names.emplace_back("help");  // of every command, but not an option of this set
  if (!contains(nearest)) nearest = nearest_name(name, names);
  throw usage_error(
      fmt::format("{}unknown option {}{}", place, shown_name,
                  nearest.empty() ? "" : fmt::format("; did you mean {}{}?", typed ? "--" : "", nearest)));
}

bool OptionSet::contains(std::string_view name) const {
  return std::any_of(options_.begin(), options_.end(),
                     [&](const Option& option) { return option.name == current_name(name); });
}

Json OptionSet::values() const {
  Json values = Json::object();
  for (const Option& option : options_) {
    if (option.saved) values[option.name] = option.value();
  }
  return values;
}

void OptionSet::set(std::string_view name, const Json& value, std::string_view source) {
  Option& option = find(name, source);
  if (!option.saved) {
    throw usage_error(fmt::format("{}: option '{}' is allowed on the command line only, as --{}", source, name, name));
  }
  option.set(value, source);
}

void OptionSet::set_values(const Json& values, std::string_view source) {
  if (!values.is_object())
    throw usage_error(fmt::format("{}: expected an object of options, got {}", source, shown(values)));
  for (const auto& [name, value] : values.items()) set(name, value, source);
}

std::vector<OptionGroup> OptionSet::groups() const {
  std::vector<OptionGroup> groups;
  for (const Option& option : options_) {
    auto group = std::ranges::find(groups, option.group, &OptionGroup::name);
    if (group == groups.end()) group = groups.insert(group, {option.group, {}});
    group->options.push_back(&option);
  }
  return groups;
}

std::string config_text(const OptionSet& options) {
  std::string text;
  for (const auto& [group, members] : options.groups()) {
    std::string lines;
    for (const Option* option : members) {
      // JSON and TOML share the syntax of numbers, lists and strings without control characters (see Option::set).
      if (option->saved) lines += fmt::format("{} = {}\n", option->name, option->value().dump());
    }
    if (!lines.empty()) text += fmt::format("{}# {}\n{}", text.empty() ? "" : "\n", group, lines);
  }
  return text;
}

Error with_source(const Error& error, const OptionSet& options) {
  const std::string message = error.what();
  const size_t end = message.find(": ");  // of "--labels 1000"
  const std::string begin = message.substr(0, end);
  for (const Option& option : options.all()) {
    const bool is_line = option.set_by.find(':') != std::string::npos;
    if (end == std::string::npos || !is_line || !begin.starts_with(fmt::format("--{} ", option.name))) continue;
    // Users do not see the text of presets, so only config files get a line number.
    const std::string& source = option.set_by;
    const std::string name = source.starts_with("preset ") ? source.substr(0, source.find(':')) : source;
    return Error(fmt::format("{} (set by {}){}", begin, name, message.substr(end)), error.kind());
  }
  return error;
}

std::string nearest_name(std::string_view typed, const std::vector<std::string>& known) {
  std::string nearest;
  size_t least = std::max<size_t>(1, typed.size() / 3) + 1;
  for (const std::string& name : known) {
    if (const size_t distance = edit_distance(typed, name); distance < least) {
      least = distance;
      nearest = name;
    }
  }
  if (nearest.empty() && typed.size() >= 3) {
    const auto begins = [&](const std::string& name) { return name.starts_with(typed); };
    if (const auto name = std::find_if(known.begin(), known.end(), begins); name != known.end()) return *name;
  }
  return nearest;
}

std::string nearest_hint(std::string_view typed, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(typed, known);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

}  // namespace frgan

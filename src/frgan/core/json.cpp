#include "frgan/core/json.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "frgan/core/old_names.h"

namespace frgan {
namespace {

using Library = nlohmann::ordered_json;

constexpr size_t kMostLevels = 64;

Library library_value(const Json& json) {
  if (json.is_object()) {
    Library object = Library::object();
    auto& members = object.get_ref<Library::object_t&>();  // a vector; its other functions search for the key first
    for (const Json::Member& member : json.items()) members.emplace_back(member.key, library_value(member.value));
    return object;
  }
  if (json.is_array()) {
    Library array = Library::array();
    for (const Json& element : json) array.push_back(library_value(element));
    return array;
  }
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned()) return json.get<uint64_t>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.text();
  return nullptr;
}

// Receives the parser's events (nlohmann's SAX interface) and builds the value.
class Builder {
 public:
  Builder(OldNames old_names, size_t most_values) : old_names_(old_names), most_values_(most_values) {}

  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(int64_t value) { return add(value); }
  bool number_unsigned(uint64_t value) { return add(value); }
  bool number_float(double value, const std::string& /*text*/) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Library::binary_t& /*value*/) { return false; }
  bool start_object(size_t /*size*/) { return open(true); }
  bool start_array(size_t /*size*/) { return open(false); }
  bool key(std::string& key) {
    levels_.back().keys.emplace_back(old_names_ == OldNames::kReplace ? current_name(key) : std::string_view(key));
    return true;
  }
  bool end_array() { return close(); }
  bool end_object() {
    std::vector<std::string_view> keys(levels_.back().keys.begin(), levels_.back().keys.end());
    std::ranges::sort(keys);
    const auto twice = std::ranges::adjacent_find(keys);
    if (twice == keys.end()) return close();
    constexpr size_t kShown = 60;
    problem = fmt::format("key {:?} occurs twice", twice->substr(0, kShown));
    return false;
  }
  bool parse_error(size_t position, const std::string& /*token*/, const nlohmann::detail::exception& /*error*/) {
    problem = fmt::format("syntax error at byte {}", position);
    return false;
  }

  Json result;
  std::string problem;

 private:
  // An array or object that is not closed yet.
  struct Level {
    bool is_object = false;
    std::vector<std::string> keys;
    std::vector<Json> values;
  };

  bool add(Json value) {
    if (++count_ > most_values_) {
      problem = fmt::format("more than {} values", most_values_);
      return false;
    }
    if (levels_.empty()) {
      result = std::move(value);
    } else {
      levels_.back().values.push_back(std::move(value));
    }
    return true;
  }
  bool open(bool is_object) {
    if (levels_.size() == kMostLevels) {
      problem = fmt::format("nested more than {} levels deep", kMostLevels);
      return false;
    }
    levels_.push_back({is_object, {}, {}});
    return true;
  }
  bool close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    return add(level.is_object ? Json::object_of(std::move(level.keys), std::move(level.values))
                               : Json::array_of(std::move(level.values)));
  }

  OldNames old_names_;
  size_t most_values_;
  size_t count_ = 0;  // values so far
  std::vector<Level> levels_;
};

}  // namespace

Json::Json() : value_(nullptr) {}
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;
Json::Json(std::nullptr_t) : value_(nullptr) {}
Json::Json(const char* text) : value_(std::string(text)) {}
Json::Json(std::string text) : value_(std::move(text)) {}
Json::Json(std::string_view text) : value_(std::string(text)) {}

void Json::set_boolean(bool value) {
  value_ = value;
}

void Json::set_integer(int64_t value) {
  value_ = value;
}

void Json::set_unsigned(uint64_t value) {
  if (value > uint64_t{INT64_MAX}) {
    value_ = value;
  } else {
    value_ = static_cast<int64_t>(value);
  }
}

void Json::set_number(double value) {
  value_ = value;
}

Json::Json(std::initializer_list<Json> list) : Json() {
  const auto is_member = [](const Json& element) {
    return element.is_array() && element.size() == 2 && element.at(size_t{0}).is_string();
  };
  if (!std::all_of(list.begin(), list.end(), is_member)) {
    value_ = Array(list);
    return;
  }
  Object object;
  for (const Json& element : list) {
    object.push_back({element.at(size_t{0}).text(), element.at(size_t{1})});
  }
  value_ = std::move(object);
}

Json Json::array(std::initializer_list<Json> list) {
  return array_of(Array(list));
}

Json Json::object() {
  return object_of({}, {});
}

Json Json::array_of(std::vector<Json> elements) {
  Json json;
  json.value_ = std::move(elements);
  return json;
}

Json Json::object_of(std::vector<std::string> keys, std::vector<Json> values) {
  Object object;
  object.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) object.push_back({std::move(keys[i]), std::move(values[i])});
  Json json;
  json.value_ = std::move(object);
  return json;
}

const std::string& Json::text() const {
  const auto* const text = std::get_if<std::string>(&value_);
  if (text == nullptr) wrong_type("a text");
  return *text;
}

const Json::Array& Json::elements() const {
  static const Array none;
  if (is_null()) return none;
  const auto* const array = std::get_if<Array>(&value_);
  if (array == nullptr) wrong_type("a list");
  return *array;
}

const Json::Object& Json::items() const {
  static const Object none;
  if (is_null()) return none;
  const auto* const object = std::get_if<Object>(&value_);
  if (object == nullptr) wrong_type("an object");
  return *object;
}

size_t Json::size() const {
  if (is_array()) return elements().size();
  return is_object() ? items().size() : 0;
}

const Json& Json::at(size_t index) const {
  if (index >= elements().size()) {
    throw JsonError(fmt::format("a list of {} values has no value {}", elements().size(), index));
  }
  return elements()[index];
}

const Json& Json::at(std::string_view key) const {
  if (!is_object()) wrong_type("an object");
  const Json* const found = find(key);
  if (found == nullptr) throw JsonError(fmt::format("key '{}' is missing", key));
  return *found;
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const auto found = std::ranges::find(items(), key, &Member::key);
  return found == items().end() ? nullptr : &found->value;
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  auto* const object = std::get_if<Object>(&value_);
  if (object == nullptr) wrong_type("an object");
  const auto found = std::ranges::find(*object, key, &Member::key);
  if (found != object->end()) return found->value;
  object->push_back({std::string(key), Json()});
  return object->back().value;
}

void Json::erase(std::string_view key) {
  if (auto* const object = std::get_if<Object>(&value_)) {
    std::erase_if(*object, [&](const Member& member) { return member.key == key; });
  }
}

void Json::erase(size_t index) {
  auto* const array = std::get_if<Array>(&value_);
  if (array == nullptr || index >= array->size()) throw JsonError(fmt::format("no value {} to erase", index));
  array->erase(array->begin() + static_cast<std::ptrdiff_t>(index));
}

void Json::update(const Json& other) {
  for (const Member& member : other.items()) (*this)[member.key] = member.value;
}

void Json::push_back(Json element) {
  if (is_null()) value_ = Array();
  auto* const array = std::get_if<Array>(&value_);
  if (array == nullptr) wrong_type("a list");
  array->push_back(std::move(element));
}

std::string Json::dump(int indent) const {
  return library_value(*this).dump(indent, ' ', false, Library::error_handler_t::replace);
}

bool operator==(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number() && a.value_.index() != b.value_.index()) return a.number() == b.number();
  if (!a.is_object() || !b.is_object()) return a.value_ == b.value_;
  return a.size() == b.size() && std::ranges::all_of(a.items(), [&](const Json::Member& member) {
           const Json* const other = b.find(member.key);
           return other != nullptr && *other == member.value;
         });
}

bool operator==(const Json::Member& a, const Json::Member& b) {
  return a.key == b.key && a.value == b.value;
}

void Json::wrong_type(std::string_view expected) const {
  constexpr size_t kShown = 60;
  const std::string text = dump();
  throw JsonError(fmt::format("{}{} is not {}", text.substr(0, kShown), text.size() > kShown ? "..." : "", expected));
}

int64_t Json::integer(int64_t low, int64_t high) const {
  const auto* value = std::get_if<int64_t>(&value_);
  if (value == nullptr) wrong_type("a whole number");
  if (*value < low || *value > high) wrong_type(fmt::format("a whole number from {} to {}", low, high));
  return *value;
}

uint64_t Json::unsigned_integer() const {
  if (const auto* value = std::get_if<uint64_t>(&value_)) return *value;
  return static_cast<uint64_t>(integer(0, INT64_MAX));
}

double Json::number() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<uint64_t>(&value_)) return static_cast<double>(*value);
  const auto* value = std::get_if<int64_t>(&value_);
  if (value == nullptr) wrong_type("a number");
  return static_cast<double>(*value);
}

bool Json::boolean() const {
  const auto* value = std::get_if<bool>(&value_);
  if (value == nullptr) wrong_type("true or false");
  return *value;
}

Json parse_json(std::string_view text, std::string_view name, OldNames old_names, size_t most_values) {
  Builder builder(old_names, most_values);
  if (!Library::sax_parse(text.begin(), text.end(), &builder)) {
    throw JsonError(fmt::format("{}: not JSON, or truncated: {}", name, builder.problem));
  }
  return std::move(builder.result);
}

std::string quoted(const std::string& name) {
  return Json(name).dump();
}

bool is_utf8(std::string_view text) {
  try {
    Library(text).dump();
    return true;
  } catch (const Library::type_error&) {
    return false;
  }
}

}  // namespace frgan

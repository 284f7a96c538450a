// A JSON value. Parsing and printing are done by nlohmann/json in one source file, because including that library's
// header costs more compile time than most of our files. Options, config files, plans, records and logs use this type.
//
//   Json json = {{"step", 50}, {"losses", {{"supervised", 0.31}}}};
//   json["seconds"] = 12.5;
//   const std::string text = json.dump();
//   const auto step = parse_json(text, "metrics.jsonl").at("step").get<int64_t>();
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "frgan/core/error.h"

namespace frgan {

// A missing key, a value of another type, or a text that is not JSON.
class JsonError : public Error {
 public:
  using Error::Error;
};

class Json {
 public:
  using Array = std::vector<Json>;
  struct Member;
  // The members of an object in the order of insertion. Look-up is linear: objects are small.
  using Object = std::vector<Member>;

  Json();  // null
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  // Implicit conversions, so that values can be listed: Json{{"step", 5}, {"errors", errors}}.
  // NOLINTBEGIN(google-explicit-constructor)
  Json(std::nullptr_t);
  template <std::same_as<bool> T>
  Json(T value) : Json() {
    set_boolean(value);
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) Json(T value) : Json() {
    if constexpr (std::unsigned_integral<T>) {
      set_unsigned(value);
    } else {
      set_integer(value);
    }
  }
  template <std::floating_point T>
  Json(T value) : Json() {
    set_number(value);
  }
  Json(const char* text);
  Json(std::string text);
  Json(std::string_view text);
  template <class T>
  Json(const std::vector<T>& list);
  template <class A, class B>
  Json(const std::pair<A, B>& pair);  // [first, second]
  template <class T>
  Json(const std::map<std::string, T>& map);
  // NOLINTEND(google-explicit-constructor)
  // An object if every element is a list of a text and a value; otherwise an array.
  Json(std::initializer_list<Json> list);

  static Json array(std::initializer_list<Json> list = {});
  static Json array_of(std::vector<Json> elements);
  static Json object();
  // As many keys as values; the keys must differ.
  static Json object_of(std::vector<std::string> keys, std::vector<Json> values);

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_boolean() const { return std::holds_alternative<bool>(value_); }
  bool is_number_integer() const { return std::holds_alternative<int64_t>(value_) || is_number_unsigned(); }
  bool is_number_unsigned() const { return std::holds_alternative<uint64_t>(value_); }  // above INT64_MAX
  bool is_number_float() const { return std::holds_alternative<double>(value_); }
  bool is_count() const { return std::holds_alternative<int64_t>(value_) && get<int64_t>() >= 0; }  // 0 to INT64_MAX
  bool is_number() const { return is_number_integer() || is_number_float(); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_structured() const { return is_array() || is_object(); }

  // The value as bool, integer, double, std::string, std::vector, std::pair or std::map from text. Throws a JsonError
  // for a value of another type, a fraction where an integer is wanted, or an integer out of range.
  template <class T>
  T get() const;
  template <class T>
  void get_to(T& target) const {
    target = get<T>();
  }
  const std::string& text() const;

  // The elements of an array; empty for null. Throws a JsonError for another type.
  const Array& elements() const;
  // The members of an object; empty for null. Throws a JsonError for another type.
  const Object& items() const;
  Array::const_iterator begin() const { return elements().begin(); }
  Array::const_iterator end() const { return elements().end(); }
  size_t size() const;  // of an array or object; 0 otherwise
  bool empty() const { return size() == 0; }
  const Json& back() const { return elements().back(); }

  // Element of an array or member of an object. `at` throws a JsonError if it is missing.
  const Json& at(size_t index) const;
  const Json& at(std::string_view key) const;
  const Json* find(std::string_view key) const;  // null if the key is missing or this is not an object
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  // The member, or `otherwise` if the key is missing.
  template <class T>
  T value(std::string_view key, T otherwise) const {
    const Json* const found = find(key);
    return found == nullptr ? otherwise : found->get<T>();
  }
  std::string value(std::string_view key, const char* otherwise) const { return value(key, std::string(otherwise)); }

  const Json& operator[](size_t index) const { return at(index); }
  const Json& operator[](std::string_view key) const { return at(key); }
  Json& operator[](size_t index) { return const_cast<Json&>(at(index)); }
  // Inserts the member if it is missing. A null value becomes an object.
  Json& operator[](std::string_view key);
  void erase(std::string_view key);
  void erase(size_t index);  // of an array
  // Adds all members of an object, or replaces those with the same key.
  void update(const Json& other);
  // A null value becomes an array.
  void push_back(Json element);

  // On one line, or with `indent` spaces per level. Non-finite numbers become null, invalid UTF-8 becomes U+FFFD.
  std::string dump(int indent = -1) const;

  // Numbers are equal if their values are, whatever their types. The order of members does not matter.
  friend bool operator==(const Json& a, const Json& b);

 private:
  // Special members and assignments are defined in the source file: variants are slow to compile.
  using Value = std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Array, Object>;

  void set_boolean(bool value);
  void set_integer(int64_t value);
  void set_unsigned(uint64_t value);
  void set_number(double value);
  [[noreturn]] void wrong_type(std::string_view expected) const;
  int64_t integer(int64_t low, int64_t high) const;
  uint64_t unsigned_integer() const;
  double number() const;
  bool boolean() const;

  Value value_;
};

struct Json::Member {
  std::string key;
  Json value;
  friend bool operator==(const Member& a, const Member& b);
};

// Whether old names of keys are replaced by current ones (core/old_names.h).
enum class OldNames { kReplace, kKeep };

// Throws a JsonError that begins with `name` if the text is not JSON or has a key twice in one object. Safe for
// untrusted text: more than 64 nested levels or `most_values` values are errors too. A value takes 20 times the memory
// of its shortest text, "0,".
Json parse_json(std::string_view text, std::string_view name, OldNames old_names = OldNames::kReplace,
                size_t most_values = size_t{1} << 24);

// A name for messages: in double quotes, escaped to one line, with invalid UTF-8 replaced.
std::string quoted(const std::string& name);

bool is_utf8(std::string_view text);

// ---------------------------------------------------------------------------------------------------------------------

template <class T>
Json::Json(const std::vector<T>& list) : Json() {
  Array array;
  array.reserve(list.size());
  for (const auto& element : list) array.push_back(Json(static_cast<const T&>(element)));
  *this = array_of(std::move(array));
}

template <class A, class B>
Json::Json(const std::pair<A, B>& pair) : Json() {
  Array array;
  array.push_back(Json(pair.first));
  array.push_back(Json(pair.second));
  *this = array_of(std::move(array));
}

template <class T>
Json::Json(const std::map<std::string, T>& map) : Json() {
  std::vector<std::string> keys;
  std::vector<Json> values;
  for (const auto& [key, value] : map) {
    keys.push_back(key);
    values.push_back(Json(value));
  }
  *this = object_of(std::move(keys), std::move(values));
}

namespace json_detail {
template <class T>
struct Type {};
}  // namespace json_detail

template <class T>
T Json::get() const {
  const auto read = [this]<class U>(auto&& self, json_detail::Type<U>) -> U {
    (void)self;
    if constexpr (std::same_as<U, Json>) {
      return *this;
    } else if constexpr (std::same_as<U, bool>) {
      return boolean();
    } else if constexpr (std::same_as<U, uint64_t>) {
      return unsigned_integer();
    } else if constexpr (std::integral<U>) {
      return static_cast<U>(integer(std::numeric_limits<U>::min(), std::numeric_limits<U>::max()));
    } else if constexpr (std::floating_point<U>) {
      return static_cast<U>(number());
    } else if constexpr (std::same_as<U, std::string>) {
      return text();
    } else if constexpr (requires { typename U::mapped_type; }) {
      U map;
      for (const Member& member : items()) map[member.key] = member.value.template get<typename U::mapped_type>();
      return map;
    } else if constexpr (requires { typename U::first_type; }) {
      if (elements().size() != 2) wrong_type("a list of two values");
      return U(at(size_t{0}).template get<typename U::first_type>(),
               at(size_t{1}).template get<typename U::second_type>());
    } else {
      U list;
      list.reserve(elements().size());
      for (const Json& element : elements()) list.push_back(element.template get<typename U::value_type>());
      return list;
    }
  };
  return read(read, json_detail::Type<T>{});
}

}  // namespace frgan

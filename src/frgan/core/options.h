// Options are declared once: a struct's field, its one-line help and its range. From that one declaration come the
// command line, the TOML reader, --help, --print-config, the checkpoint's JSON and docs/options.md.
//
//   struct SplitOptions { int64_t labels = 1000; std::string mode = "balanced"; };
//   void describe(OptionSet& options, SplitOptions& split) {
//     options.add("labels", split.labels, "Labeled images in all.", Range<int64_t>{1, 100'000'000});
//     options.add("label-mode", split.mode, "How labeled images are drawn.", Choices{"balanced", "random"});
//   }
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace frgan {

// Inclusive limits. A double must be finite besides.
template <class T>
struct Range {
  T low = std::numeric_limits<T>::lowest();
  T high = std::numeric_limits<T>::max();
};

// The allowed words of a text option.
struct Choices {
  std::vector<std::string> words;
  Choices(std::initializer_list<std::string> list) : words(list) {}
};

// One declared option: it points at the field that holds its value, so the field must outlive it.
struct Option {
  using Field = std::variant<bool*, int64_t*, double*, std::string*, std::vector<std::string>*>;

  std::string name;   // as typed after "--", words joined by '-'
  std::string help;   // one line; names the paper's ambiguity (A7) where it decides one
  std::string group;  // heading in --help and docs/options.md: "FR-GAN", "Data", ...
  Field field;
  Range<int64_t> integers = {};           // for a whole number
  Range<double> reals = {};               // for a number
  std::vector<std::string> choices = {};  // for a text; empty: any
  bool saved = true;                      // belongs to config files and checkpoints, not to one call of the program
  bool given = false;                     // set by a preset, a file or the command line
  nlohmann::json initial = nullptr;       // the value when it was declared: the default

  nlohmann::json value() const;
  // Checks type, range, finiteness and choice, then sets the field; otherwise throws a usage error that names the
  // option, what was given and what is allowed. A whole number takes no fraction, not even 2.0. Texts are UTF-8 without
  // control characters. `source` says where the value came from ("--labels", "my.toml:12:10").
  void set(const nlohmann::json& value, std::string_view source);
  // Text as typed on a command line. Whole numbers are decimal digits with or without '-' (010 is ten, 0x10 an error);
  // numbers may be written 1e-3; a list's parts are separated by commas, and an empty text is an empty list.
  void set_text(std::string_view text, std::string_view source);
  // "1 to 100", "1 or more", "stride, max": what is allowed, for help and messages; empty where anything is.
  std::string allowed() const;
};

// All options of a program run, in the order of their declaration. To declare a name twice, or a default that is not
// allowed, is a programming error (std::logic_error).
class OptionSet {
 public:
  // Options declared after this call belong to that heading. Those that are not saved can only be typed: --resume.
  void group(std::string name, bool saved = true) {
    group_ = std::move(name);
    saved_ = saved;
  }

  void add(std::string name, bool& field, std::string help);
  void add(std::string name, int64_t& field, std::string help, Range<int64_t> range = {});
  void add(std::string name, double& field, std::string help, Range<double> range = {});
  void add(std::string name, std::string& field, std::string help, Choices choices = {});
  void add(std::string name, std::vector<std::string>& field, std::string help);

  // Options that this run does not have but others do, so that `find` can say whose they are: owner "method fr-gan".
  void mention(const OptionSet& others, const std::string& owner);

  // Throws a usage error that names the owner of an option that was mentioned, or else the nearest known one.
  Option& find(std::string_view name, std::string_view source);
  bool contains(std::string_view name) const;

  // {"batch-size": 100, ...}: all saved values, in order.
  nlohmann::ordered_json values() const;
  // Sets one value from a file: `find` and Option::set, and an error for an option that is not saved.
  void set(std::string_view name, const nlohmann::json& value, std::string_view source);
  // Sets every key of an object.
  void set_values(const nlohmann::json& values, std::string_view source);

  // Each heading with its options, in the order in which they were first declared.
  std::vector<std::pair<std::string, std::vector<const Option*>>> groups() const;

  std::vector<Option>& all() { return options_; }
  const std::vector<Option>& all() const { return options_; }

 private:
  void add(Option option);
  std::vector<Option> options_;
  std::map<std::string, std::string, std::less<>> owners_;  // of the mentioned ones, by name
  std::string group_;
  bool saved_ = true;
};

// The known name nearest to what was typed (edit distance, or else its beginning), or empty when none is near.
std::string nearest_name(std::string_view typed, const std::vector<std::string>& known);
// "; did you mean 'labels'?", or empty: the end of a message.
std::string nearest_hint(std::string_view typed, const std::vector<std::string>& known);

}  // namespace frgan

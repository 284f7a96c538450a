// Each option is declared once: a field of a struct, a help text, and a range with its unit. The command line, the TOML
// reader, --help, --print-config, the man page, shell completion, checkpoints and docs/options.md use this declaration.
//
//   enum class LabelMode { kBalanced, kRandom };
//   struct SplitOptions { int64_t labels = 1000; LabelMode mode = LabelMode::kBalanced; };
//   void describe(OptionSet& options, SplitOptions& split) {
//     options.group("Labels");
//     options.add("labels", split.labels, "Number of labeled images.", Range<int64_t>{1, 100'000'000, "images"});
//     options.add("label-mode", split.mode, "How labeled images are drawn.", Words<LabelMode>{"balanced", "random"});
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "frgan/core/error.h"
#include "frgan/core/json.h"

namespace frgan {

// Inclusive limits and the unit of the value ("seconds", "images"); no unit for a pure number. A double must be finite.
template <class T>
struct Range {
  T low = std::numeric_limits<T>::lowest();
  T high = std::numeric_limits<T>::max();
  std::string_view unit = "";
};

// The allowed values of a text option.
struct Choices {
  std::vector<std::string> words;
  Choices(std::initializer_list<std::string> list) : words(list) {}
  explicit Choices(std::vector<std::string> list) : words(std::move(list)) {}
};

// Values that shell completion offers. Other values are allowed too.
struct Suggestions {
  std::vector<std::string> words;
};

// The names of an enumeration's values, in the order of the enumerators, which count from 0.
template <class Enum>
struct Words {
  std::vector<std::string> words;
  Words(std::initializer_list<std::string> list) : words(list) {}
};

// A field of an enumeration type, as an index into Option::choices.
struct EnumField {
  std::function<size_t()> index;
  std::function<void(size_t)> set_index;
};

// One declared option. It points at the field that holds its value, so the field must outlive it.
struct Option {
  using Field = std::variant<bool*, int64_t*, double*, std::string*, std::vector<std::string>*, EnumField>;

  std::string name;   // as typed after "--", words joined by '-'
  std::string help;   // one sentence or two; names the reading of the paper that the option selects
  std::string group;  // heading in --help and docs/options.md: "FR-GAN", "Data", ...
  Field field;
  Range<int64_t> integers = {};               // for a whole number
  Range<double> reals = {};                   // for a number
  std::vector<std::string> choices = {};      // for a text or an enumeration; empty: any text
  std::vector<std::string> suggestions = {};  // for shell completion, where `choices` is empty
  bool saved = true;                          // stored in config files and checkpoints; false: command line only
  bool given = false;                         // set by a preset, a file or the command line
  Json initial = nullptr;                     // the value at the time of declaration: the default
  std::string set_by = {};  // where the value came from: "--labels", "preset fast:3:1"; empty: default

  Json value() const;
  // Checks type, range, finiteness and choice, then sets the field. Otherwise throws a usage error that names the
  // option, the value and what is allowed. A whole number must not have a fraction, not even 2.0. Texts must be UTF-8
  // without control characters. `source` is where the value came from: "--labels", "my.toml:12:10".
  void set(const Json& value, std::string_view source);
  // Reads the value as typed on a command line. Whole numbers are decimal digits with an optional '-' (010 is ten, 0x10
  // an error). Numbers may be written 1e-3. A list is separated by commas; "\," is a comma within a part, and an empty
  // text is an empty list.
  void set_text(std::string_view text, std::string_view source);
  bool is_flag() const { return std::holds_alternative<bool*>(field); }
  // What is allowed, for help and messages: "1 to 100", "1 or more", "stride, max"; empty if anything is.
  std::string allowed() const;
  std::string_view unit() const;
};

// Options under one heading.
struct OptionGroup {
  std::string name;
  std::vector<const Option*> options;
};

// All options of a command, in the order of their declaration. Declaring a name twice, or a default that is not
// allowed, is a programming error (std::logic_error).
class OptionSet {
 public:
  // Sets the heading of the options that are declared next. Options that are not `saved` are for the command line only,
  // such as --resume.
  void group(std::string name, bool saved = true) {
    group_ = std::move(name);
    saved_ = saved;
  }

  void add(std::string name, bool& field, std::string help);
  void add(std::string name, int64_t& field, std::string help, Range<int64_t> range = {});
  void add(std::string name, double& field, std::string help, Range<double> range = {});
  void add(std::string name, std::string& field, std::string help, Choices choices = {});
  void add(std::string name, std::string& field, std::string help, Suggestions suggestions);
  void add(std::string name, std::vector<std::string>& field, std::string help);
  template <class Enum>
  void add(std::string name, Enum& field, std::string help, Words<Enum> words) {
    EnumField access{[&field] { return static_cast<size_t>(field); },
                     [&field](size_t index) { field = static_cast<Enum>(index); }};
    add({std::move(name), std::move(help), group_, std::move(access), {}, {}, std::move(words.words)});
  }

  // Registers options that this command lacks, with their owner ("method fr-gan"), for the message of `find`.
  void mention(const OptionSet& others, const std::string& owner);

  // Finds an option by its current or an old name (core/old_names.h). Throws a usage error that names the owner of a
  // mentioned option, or else suggests the nearest known one.
  Option& find(std::string_view name, std::string_view source);
  bool contains(std::string_view name) const;

  // All saved values in order: {"batch-size": 100, ...}.
  Json values() const;
  // Sets one value from a file. Throws a usage error for an option that is not saved.
  void set(std::string_view name, const Json& value, std::string_view source);
  // Sets every key of an object.
  void set_values(const Json& values, std::string_view source);

  // The headings with their options, in the order of declaration.
  std::vector<OptionGroup> groups() const;

  std::vector<Option>& all() { return options_; }
  const std::vector<Option>& all() const { return options_; }

 private:
  void add(Option option);
  std::vector<Option> options_;
  std::map<std::string, std::string, std::less<>> owners_;  // of mentioned options, by name
  std::string group_;
  bool saved_ = true;
};

// An option that was changed but has no effect because of another one.
struct WithoutEffect {
  std::string option;   // its name
  std::string message;  // what to do
};

// Writes all saved options as TOML, with a comment above each group. `read_config` (settings/config_file.h) reads the
// result back exactly.
std::string config_text(const OptionSet& options);

// The error with the place where an option got its value. If the message begins with "--labels 1000" and a line of a
// preset or config file set the option, it then begins with "--labels 1000 (set by preset fast:3:1)".
Error with_source(const Error& error, const OptionSet& options);

// The known name nearest to the typed one by edit distance, else the first that begins with it, else an empty text.
std::string nearest_name(std::string_view typed, const std::vector<std::string>& known);
// The end of a message: "; did you mean 'labels'?", or empty.
std::string nearest_hint(std::string_view typed, const std::vector<std::string>& known);

}  // namespace frgan

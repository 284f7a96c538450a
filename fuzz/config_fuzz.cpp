// Fuzzes the config-file parser: sets options of every kind from the input, prints them, and reads the result back.
#include "frgan/core/options.h"
#include "frgan/settings/config_file.h"
#include "only_errors.h"

namespace {

struct EveryKind {
  bool flag = false;
  int64_t number = 3;
  double real = 0.5;
  std::string word = "one";
  std::vector<std::string> words = {"a"};
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  frgan::expect_only_errors([&] {
    EveryKind fields;
    frgan::OptionSet options;
    options.group("Kinds");
    options.add("flag", fields.flag, "A flag.");
    options.add("number", fields.number, "A number.", frgan::Range<int64_t>{1, 100});
    options.add("real", fields.real, "A real.", frgan::Range<double>{0, 1});
    options.add("word", fields.word, "A word.");
    options.add("words", fields.words, "Words.");
    for (const frgan::Setting& setting : frgan::read_config({reinterpret_cast<const char*>(data), size}, "fuzz.toml")) {
      options.set(setting.name, setting.value, setting.source);
    }
    if (fields.number < 1 || fields.number > 100 || !(fields.real >= 0 && fields.real <= 1)) std::abort();
    const auto values = options.values();
    for (const frgan::Setting& setting : frgan::read_config(frgan::config_text(options), "again")) {
      options.set(setting.name, setting.value, setting.source);
    }
    if (options.values() != values) std::abort();  // printed and read values must be equal
  });
  return 0;
}

// Fuzzes the command-line parser. The input consists of arguments separated by zero bytes.
#include "app/command_line.h"
#include "frgan/core/options.h"
#include "only_errors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> arguments(1);
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == 0) {
      arguments.emplace_back();
    } else {
      arguments.back() += static_cast<char>(data[i]);
    }
  }
  frgan::expect_only_errors([&] {
    constexpr frgan::Syntax kSyntax = {"fuzz", "WORD...", "Accepts any words.", 0, 3};
    bool flag = false;
    int64_t number = 3;
    double real = 0.5;
    std::vector<std::string> words;
    frgan::OptionSet options;
    options.group("Kinds");
    options.add("flag", flag, "A flag.");
    options.add("number", number, "A number.", frgan::Range<int64_t>{1, 100});
    options.add("real", real, "A real.", frgan::Range<double>{0, 1});
    options.add("words", words, "Words.");
    if (frgan::read_arguments(kSyntax, arguments, options).size() > 3) std::abort();
    if (number < 1 || number > 100 || !(real >= 0 && real <= 1)) std::abort();
  });
  return 0;
}

// Sanitizer options of all test programs. LibTorch is not instrumented.
extern "C" {

// Leak detection stays on (the default): LibTorch 1.13 has no leaks.
const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1";
}
const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

}  // extern "C"

// What the sanitizers of every test program are told. LibTorch is not instrumented.
extern "C" {

// No leak is reported twice a run: LibTorch's own live until the process ends.
const char* __asan_default_options() { return "detect_stack_use_after_return=1:strict_string_checks=1"; }
const char* __ubsan_default_options() { return "print_stacktrace=1"; }

}  // extern "C"

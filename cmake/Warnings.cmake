# Compiler options of all our targets. Programs need -fPIC too: they share the library's precompiled header, which GCC
# accepts only with the same options.
add_library(frgan_warnings INTERFACE)
target_compile_options(frgan_warnings INTERFACE -fPIC -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
if(FRGAN_WERROR)
  target_compile_options(frgan_warnings INTERFACE -Werror)
endif()
if(FRGAN_SANITIZE)
  target_compile_options(frgan_warnings INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  if(NOT FRGAN_FUZZ)
    # These checks instrument every pointer access and double the compile time. The address sanitizer finds null pointers
    # as well; the fuzz targets check alignment where bytes of files are read.
    target_compile_options(frgan_warnings INTERFACE -fno-sanitize=null,alignment,object-size,pointer-overflow,vptr)
  endif()
  target_link_options(frgan_warnings INTERFACE -fsanitize=address,undefined)
endif()
if(FRGAN_COVERAGE)
  target_compile_options(frgan_warnings INTERFACE --coverage)
  target_link_options(frgan_warnings INTERFACE --coverage)
endif()
if(FRGAN_FUZZ)
  target_compile_options(frgan_warnings INTERFACE -fsanitize=fuzzer-no-link)
endif()

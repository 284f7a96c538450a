# Script. Writes OUTPUT, the implementation of core/version.h, if the version or the commit of SOURCE_DIR has changed.
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} describe --always --dirty --abbrev=40 --exclude=*
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  # If the sources are unpacked inside another repository, git would report the commit of that repository.
  if(NOT failed AND EXISTS ${SOURCE_DIR}/.git)
    set(commit ${described})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[// Written by cmake/WriteVersion.cmake.
#include "frgan/core/version.h"

namespace frgan {

std::string_view version() { return "@VERSION@"; }
std::string_view source_commit() { return "@commit@"; }

}  // namespace frgan
]])

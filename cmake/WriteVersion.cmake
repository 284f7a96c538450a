# A script: writes OUTPUT, the source behind core/version.h, when the version or the commit of SOURCE_DIR has changed.
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} describe --always --dirty --abbrev=40 --exclude=*
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  # Unpacked below somebody else's repository, the commit would be theirs.
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

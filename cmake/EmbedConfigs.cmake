# Script. Writes the C++ source file OUTPUT, which embeds every FOLDER/*.toml as an array of TYPE. The function GETTER,
# declared in HEADER, returns the array.
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*.toml)
list(TRANSFORM names REPLACE "\\.toml$" "")
list(SORT names)
set(rows "")
foreach(name ${names})
  file(READ ${FOLDER}/${name}.toml text)
  if(NOT text MATCHES "^# ([^\n]+)\n")
    message(FATAL_ERROR "${name}.toml: the first line must be a comment that describes the file")
  endif()
  string(APPEND rows "    {R\"toml(${name})toml\", R\"toml(${CMAKE_MATCH_1})toml\", R\"toml(${text})toml\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Written by cmake/EmbedConfigs.cmake.
#include \"${HEADER}\"

namespace frgan {
namespace {

constexpr ${TYPE} kTexts[] = {
${rows}};

}  // namespace

std::span<const ${TYPE}> ${GETTER}() { return kTexts; }

}  // namespace frgan
")

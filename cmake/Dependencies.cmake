# Everything that is not ours. Debian's packages are the default; see docs/design.md, "Libraries".
find_package(Torch REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
pkg_check_modules(matio REQUIRED IMPORTED_TARGET matio)
pkg_check_modules(archive REQUIRED IMPORTED_TARGET libarchive)
find_package(CURL REQUIRED)
find_package(OpenCV REQUIRED COMPONENTS core imgproc imgcodecs)

# LibTorch as a system library: its headers' warnings are not ours.
add_library(frgan_torch INTERFACE)
target_link_libraries(frgan_torch INTERFACE ${TORCH_LIBRARIES})
target_include_directories(frgan_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
separate_arguments(frgan_torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(frgan_torch INTERFACE ${frgan_torch_flags})

# The headers that programs may include, relative to src/. They include no LibTorch header; tests/install compiles each
# alone. docs/library.md describes them.
file(GLOB_RECURSE frgan_public_headers RELATIVE ${PROJECT_SOURCE_DIR}/src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/frgan/*.h)

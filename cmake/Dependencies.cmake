# Everything that is not ours. Debian's packages are the default; see docs/design.md, "Libraries". An installed frgan
# carries this file: whoever links the library finds the same things in the same way.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

if(FRGAN_WITH_MATIO)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(matio REQUIRED IMPORTED_TARGET matio)
endif()
if(FRGAN_WITH_ZLIB)
  find_package(ZLIB REQUIRED)
endif()
if(FRGAN_WITH_OPENSSL)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
endif()
if(FRGAN_WITH_CURL)
  find_package(CURL REQUIRED)
endif()
if(FRGAN_WITH_IMAGES)
  # OpenCVConfig.cmake is in libopencv-dev, which brings everything; we install core, imgproc and imgcodecs alone.
  add_library(frgan_opencv INTERFACE IMPORTED)
  find_path(OPENCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
  target_include_directories(frgan_opencv INTERFACE ${OPENCV_INCLUDE_DIR})
  foreach(part core imgproc imgcodecs)
    find_library(OPENCV_${part} opencv_${part} REQUIRED)
    target_link_libraries(frgan_opencv INTERFACE ${OPENCV_${part}})
  endforeach()
endif()

if(FRGAN_FUZZ)
  return()
endif()
# LibTorch as an imported library, hence a system one: its headers' warnings are not ours.
add_library(frgan_torch INTERFACE IMPORTED)
# at::parallel_for is a template with a pragma: where OpenMP is off, it compiles to one thread without a word.
find_package(OpenMP REQUIRED COMPONENTS CXX)
target_link_libraries(frgan_torch INTERFACE OpenMP::OpenMP_CXX)
if(FRGAN_WHEEL_VENV)
  include(${CMAKE_CURRENT_LIST_DIR}/WheelTorch.cmake)
  return()
endif()
find_package(Torch REQUIRED)
target_link_libraries(frgan_torch INTERFACE ${TORCH_LIBRARIES})
target_include_directories(frgan_torch INTERFACE ${TORCH_INCLUDE_DIRS})
separate_arguments(frgan_torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(frgan_torch INTERFACE ${frgan_torch_flags})

# Debian's LibTorch uses the BLAS that the alternatives name; where OpenBLAS is there in both flavours that is the one
# with pthreads, whose threads fight LibTorch's for the cores. A program of ours asks for the flavour with OpenMP by an
# RPATH, the old kind, which also counts for the libraries of its libraries.
set(frgan_blas /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp)
if(TORCH_INSTALL_PREFIX STREQUAL "/usr" OR TORCH_LIBRARY MATCHES "^/usr/lib/")
  if(EXISTS ${frgan_blas}/libblas.so.3)
    target_link_options(frgan_torch INTERFACE -Wl,--disable-new-dtags -Wl,-rpath,${frgan_blas})
  else()
    message(WARNING "libopenblas0-openmp is not installed: training may be several times slower")
  endif()
endif()

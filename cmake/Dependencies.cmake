# Finds all third-party libraries, by default those of Debian's packages; see docs/design.md, "Libraries". This file is
# installed with the library, so that find_package(frgan) finds the same dependencies.
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
  # find_package(OpenCV) needs libopencv-dev, which installs all modules. We install only core, imgproc and imgcodecs.
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
# An imported library, so that its headers count as system headers and cause no warnings.
add_library(frgan_torch INTERFACE IMPORTED)
# at::parallel_for is a template with an OpenMP pragma. Without OpenMP, it silently compiles to single-threaded code.
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

# Debian's LibTorch loads the BLAS selected by update-alternatives. If both variants of OpenBLAS are installed, this is the
# pthreads variant, whose threads compete with LibTorch's for the cores. An RPATH selects the OpenMP variant. It must be
# DT_RPATH, not DT_RUNPATH, because only DT_RPATH applies to indirect dependencies.
set(frgan_blas /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp)
if(TORCH_INSTALL_PREFIX STREQUAL "/usr" OR TORCH_LIBRARY MATCHES "^/usr/lib/")
  if(EXISTS ${frgan_blas}/libblas.so.3)
    target_link_options(frgan_torch INTERFACE -Wl,--disable-new-dtags -Wl,-rpath,${frgan_blas})
  else()
    message(WARNING "libopenblas0-openmp is not installed; training may be several times slower")
  endif()
endif()

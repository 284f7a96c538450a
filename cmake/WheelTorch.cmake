# frgan_torch is the LibTorch inside the wheel of `pip install torch` in the Python virtual environment FRGAN_WHEEL_VENV.
# Not by the wheel's find_package(Torch): that stops where no CUDA toolkit is, and finds Debian's libraries where those
# are installed. A program links what computes on a CPU, and core/device.cpp loads the rest; tests/wheel checks that nothing of Debian's LibTorch is left.
file(GLOB frgan_wheel ${FRGAN_WHEEL_VENV}/lib/python3*/site-packages/torch/lib/libtorch_cpu.so)
if(NOT frgan_wheel)
  message(FATAL_ERROR "${FRGAN_WHEEL_VENV} has no torch; `make gpu` makes such a folder, or in one of your own: "
                      "python3 -m venv FOLDER && FOLDER/bin/pip install torch, and -D FRGAN_WHEEL_VENV=FOLDER")
endif()
list(GET frgan_wheel 0 frgan_wheel)
cmake_path(GET frgan_wheel PARENT_PATH frgan_wheel_lib)
cmake_path(GET frgan_wheel_lib PARENT_PATH frgan_wheel)

# The wheel brings fmt's headers too, of a release other than the libfmt that we link: ours come first.
set(frgan_fmt ${CMAKE_CURRENT_BINARY_DIR}/fmt-headers)
find_path(FRGAN_FMT_INCLUDE_DIR fmt/core.h REQUIRED)
file(MAKE_DIRECTORY ${frgan_fmt})
file(CREATE_LINK ${FRGAN_FMT_INCLUDE_DIR}/fmt ${frgan_fmt}/fmt SYMBOLIC)

target_include_directories(frgan_torch INTERFACE
  ${frgan_fmt} ${frgan_wheel}/include ${frgan_wheel}/include/torch/csrc/api/include)
target_link_libraries(frgan_torch INTERFACE ${frgan_wheel_lib}/libtorch_cpu.so ${frgan_wheel_lib}/libc10.so)
target_link_options(frgan_torch INTERFACE -Wl,-rpath,${frgan_wheel_lib})

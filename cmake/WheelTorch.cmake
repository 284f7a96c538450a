# Defines frgan_torch as the LibTorch of the PyTorch wheel (`pip install torch`) in the virtual environment
# FRGAN_WHEEL_VENV. The wheel's find_package(Torch) is not usable: it fails without a CUDA toolkit, and it finds Debian's
# libraries if these are installed. Programs link only the CPU libraries; device/device.cpp loads the CUDA libraries at run
# time. tests/lint/only_wheel.py checks that nothing comes from Debian's LibTorch.
file(GLOB frgan_wheel ${FRGAN_WHEEL_VENV}/lib/python3*/site-packages/torch/lib/libtorch_cpu.so)
if(NOT frgan_wheel)
  message(FATAL_ERROR "FRGAN_WHEEL_VENV=${FRGAN_WHEEL_VENV}: torch is not installed there; run `make gpu`, or "
                      "python3 -m venv FOLDER && FOLDER/bin/pip install torch, and pass -D FRGAN_WHEEL_VENV=FOLDER")
endif()
list(GET frgan_wheel 0 frgan_wheel)
cmake_path(GET frgan_wheel PARENT_PATH frgan_wheel_lib)
cmake_path(GET frgan_wheel_lib PARENT_PATH frgan_wheel)

# The wheel also contains headers of fmt, of another release than the libfmt that we link. Ours must come first.
set(frgan_fmt ${CMAKE_CURRENT_BINARY_DIR}/fmt-headers)
find_path(FRGAN_FMT_INCLUDE_DIR fmt/core.h REQUIRED)
file(MAKE_DIRECTORY ${frgan_fmt})
file(CREATE_LINK ${FRGAN_FMT_INCLUDE_DIR}/fmt ${frgan_fmt}/fmt SYMBOLIC)

target_include_directories(frgan_torch INTERFACE
  ${frgan_fmt} ${frgan_wheel}/include ${frgan_wheel}/include/torch/csrc/api/include)
target_link_libraries(frgan_torch INTERFACE ${frgan_wheel_lib}/libtorch_cpu.so ${frgan_wheel_lib}/libc10.so)
target_link_options(frgan_torch INTERFACE -Wl,-rpath,${frgan_wheel_lib})

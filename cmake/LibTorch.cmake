# LibTorch as an imported target from the unpacked wheel, without the wheel's own CMake package, which insists on a CUDA
# toolkit. libtorch_cpu finds libcupti and libcudart beside it by its own rpath.
set(DISCO_TORCH_DIR ${CMAKE_SOURCE_DIR}/.deps/torch-2.11.0/torch CACHE PATH "The wheel's torch folder: include/ and lib/")
if(NOT EXISTS ${DISCO_TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "LibTorch is not in ${DISCO_TORCH_DIR}; ./disco and ./test install it")
endif()
# The wheel carries headers of a newer fmt; the system's, which are linked, have to be found before them.
find_path(DISCO_FMT_INCLUDE fmt/core.h REQUIRED)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/before_torch)
file(CREATE_LINK ${DISCO_FMT_INCLUDE}/fmt ${CMAKE_BINARY_DIR}/before_torch/fmt SYMBOLIC)
add_library(disco_libtorch INTERFACE)
target_include_directories(disco_libtorch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/before_torch
  ${DISCO_TORCH_DIR}/include ${DISCO_TORCH_DIR}/include/torch/csrc/api/include)
# at::parallel_for is a template: without OpenMP it compiles to a plain loop. The runtime is LibTorch's own, which knows
# GCC's calls alone: clang (fuzzing, tidying) makes do with plain loops.
target_compile_options(disco_libtorch INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fopenmp>)
target_link_libraries(disco_libtorch INTERFACE ${DISCO_TORCH_DIR}/lib/libgomp.so.1 ${DISCO_TORCH_DIR}/lib/libtorch_cpu.so ${DISCO_TORCH_DIR}/lib/libc10.so)
target_link_options(disco_libtorch INTERFACE
  "LINKER:-rpath,${DISCO_TORCH_DIR}/lib" "LINKER:-rpath-link,${DISCO_TORCH_DIR}/../nvidia/cu13/lib")
if(DISCO_CUDA)
  # Most of what is linked calls nothing in it: the GPU's operators register themselves when the library is loaded.
  target_link_options(disco_libtorch INTERFACE
    "LINKER:--no-as-needed,${DISCO_TORCH_DIR}/lib/libtorch_cuda.so,${DISCO_TORCH_DIR}/lib/libc10_cuda.so,--as-needed"
    "LINKER:--allow-shlib-undefined")
endif()

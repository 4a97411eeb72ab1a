# The kernels for NVIDIA GPUs: the room `cuda`. The compiler is nvcc from the PATH, /usr/local/cuda or what tools/setup.sh
# fetched; the runtime is the one that LibTorch brings, as a second one in the process would not know its streams.
find_program(DISCO_NVCC nvcc PATHS /usr/local/cuda/bin ${DISCO_TORCH_DIR}/../nvidia/cu13/bin)
if(NOT DISCO_NVCC)
  message(FATAL_ERROR "DISCO_CUDA is ON, but there is no CUDA compiler. ./disco fetches one; else install the CUDA toolkit 13 "
    "(nvcc on the PATH or in /usr/local/cuda/bin), or configure with -DDISCO_CUDA=OFF")
endif()
if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${DISCO_NVCC})
endif()
if(NOT CMAKE_CUDA_ARCHITECTURES)
  # Turing to Hopper as machine code; what is newer compiles the last one's PTX when it loads.
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90)
endif()
set(CMAKE_CUDA_FLAGS_RELEASE "-O3 -DNDEBUG")
enable_language(CUDA)
set(CMAKE_CUDA_RUNTIME_LIBRARY None)
# CMake 3.25 does not know that nvcc takes this.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
set(CMAKE_CUDA_STANDARD 20)

set(DISCO_CUDART ${DISCO_TORCH_DIR}/../nvidia/cu13/lib/libcudart.so.13)

# src/cuda: the kernels themselves, which know no torch, and their operators.
function(disco_cuda_room)
  file(GLOB kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cuda/*.cu)
  add_library(cuda_kernels OBJECT ${kernels})
  target_include_directories(cuda_kernels PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_options(cuda_kernels PRIVATE --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra,-Werror)
  disco_room(cuda TORCH)
  target_sources(room_cuda PRIVATE $<TARGET_OBJECTS:cuda_kernels>)
  target_include_directories(room_cuda SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  target_link_libraries(room_cuda PUBLIC ${DISCO_CUDART})
endfunction()

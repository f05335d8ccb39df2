# Finds the CUDA Toolkit as requested by ADAPTIVE_ENABLE_CUDA and sets ADAPTIVE_HAVE_CUDA. If that is ON, the
# CUDA language is enabled, and the targets of FindCUDAToolkit (CUDA::cudart, CUDA::cublasLt, ...) exist.
set(ADAPTIVE_HAVE_CUDA OFF)
set(ADAPTIVE_CUDA_REASON "")

if(NOT ADAPTIVE_ENABLE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "ADAPTIVE_ENABLE_CUDA is '${ADAPTIVE_ENABLE_CUDA}'; it must be AUTO, ON or OFF")
endif()

if(NOT ADAPTIVE_ENABLE_CUDA STREQUAL "OFF")
  find_package(CUDAToolkit QUIET)
  if(NOT CUDAToolkit_FOUND)
    set(ADAPTIVE_CUDA_REASON "no CUDA Toolkit found (put nvcc on the PATH or set CUDAToolkit_ROOT)")
  elseif(CUDAToolkit_VERSION VERSION_LESS 12.0)
    # The Hopper kernels need sm_90a, and C++20 in device code; both require 12.0.
    set(ADAPTIVE_CUDA_REASON "the CUDA Toolkit is ${CUDAToolkit_VERSION}; 12.0 or newer is needed")
  else()
    if(NOT DEFINED CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
      set(ENV{CUDACXX} "${CUDAToolkit_NVCC_EXECUTABLE}")  # read by check_language; nvcc may be off the PATH
    endif()
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      # Machine code with Hopper's own instructions, and portable code for all other GPUs from Ampere on.
      set(CMAKE_CUDA_ARCHITECTURES "80-virtual;90a-real")
    endif()
    include(CheckLanguage)
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
      enable_language(CUDA)
      if(CMAKE_CUDA_COMPILER_ID STREQUAL "NVIDIA" AND NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
        # CMake before 3.25.2 does not know that nvcc 12 has C++20.
        set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
        set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
      endif()
      set(ADAPTIVE_HAVE_CUDA ON)
    else()
      set(ADAPTIVE_CUDA_REASON "${CUDAToolkit_NVCC_EXECUTABLE} does not compile a program")
    endif()
  endif()

  if(ADAPTIVE_HAVE_CUDA)
    message(STATUS "adaptive: CUDA ${CUDAToolkit_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")
  elseif(ADAPTIVE_ENABLE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "ADAPTIVE_ENABLE_CUDA is ON, but ${ADAPTIVE_CUDA_REASON}")
  else()
    message(STATUS "adaptive: without CUDA: ${ADAPTIVE_CUDA_REASON}")
  endif()
endif()

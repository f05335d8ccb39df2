// Functions of the CUDA driver that only the measurement of the timer's bias needs.
#pragma once

#include <cuda.h>

#include <cstddef>

namespace adaptive::python {

struct DriverFunctions {
  CUresult (*mem_alloc)(CUdeviceptr*, std::size_t);
  CUresult (*memcpy_to_host)(void*, CUdeviceptr, std::size_t, CUstream);
  CUresult (*priority_range)(int*, int*);
  CUresult (*stream_create)(CUstream*, unsigned, int);
  CUresult (*stream_synchronize)(CUstream);
  CUresult (*stream_destroy)(CUstream);
  CUresult (*module_load)(CUmodule*, const void*);
  CUresult (*module_function)(CUfunction*, CUmodule, const char*);
  CUresult (*launch)(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                     CUstream, void**, void**);
};

/// Every function answers CUDA_ERROR_NOT_FOUND where the driver is missing or lacks it.
const DriverFunctions& driver_functions() noexcept;

}  // namespace adaptive::python

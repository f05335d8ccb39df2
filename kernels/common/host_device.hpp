#pragma once

/// Marks a function that kernels may call too, in headers that host compilers read.
#ifdef __CUDACC__
#define ADAPTIVE_HOST_DEVICE __host__ __device__
#else
#define ADAPTIVE_HOST_DEVICE
#endif

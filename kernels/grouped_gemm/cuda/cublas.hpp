#pragma once

#include <cublas_v2.h>

#include <cstdint>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/grouped_gemm/cuda/kernels.hpp"

// cublasGemmGroupedBatchedEx. It needs the number of rows of every expert on the host, so only callers that
// have the routing there can use it.

namespace adaptive::kernels::grouped_gemm {

/// Toolkits before 12.5 do not have the function.
inline constexpr bool has_cublas_grouped = CUBLAS_VERSION >= 120500;

class CublasHandle {
 public:
  /// Throws std::runtime_error.
  CublasHandle();
  CublasHandle(const CublasHandle&) = delete;
  CublasHandle& operator=(const CublasHandle&) = delete;
  ~CublasHandle();
  cublasHandle_t get() const noexcept { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

/// The experts of one problem that have rows, with one copy of the weights.
class CublasGroups {
 public:
  CublasGroups(const DeviceOperands& operands, const std::vector<std::int64_t>& rows_of);

  /// Enqueues all products; `workspace` of `workspace_bytes` belongs to the stream.
  cublasStatus_t launch(cublasHandle_t handle, void* workspace, std::size_t workspace_bytes,
                        cudaStream_t stream) const noexcept;

 private:
  cudaDataType_t type_;
  std::vector<cublasOperation_t> transposed_, plain_;
  std::vector<int> n_, rows_, k_, one_each_;
  std::vector<float> ones_, zeros_;
  cuda::DeviceBuffer<const void*> w_, x_;
  cuda::DeviceBuffer<void*> y_;
};

}  // namespace adaptive::kernels::grouped_gemm

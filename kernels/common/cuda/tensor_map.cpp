#include "kernels/common/cuda/tensor_map.hpp"

#include <cuda_runtime_api.h>

#include <array>
#include <stdexcept>

#include "kernels/common/cuda/memory.hpp"

namespace adaptive::kernels::cuda {
namespace {

using Encode = decltype(&cuTensorMapEncodeTiled);

// Looked up in the loaded driver, so that nothing is linked against it.
Encode encode() {
  static const Encode found = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult result{};
#if CUDART_VERSION >= 12050
    const cudaError_t status = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000,
                                                                cudaEnableDefault, &result);
#else
    const cudaError_t status =
        cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &function, cudaEnableDefault, &result);
#endif
    check(status, "cuTensorMapEncodeTiled");
    return result == cudaDriverEntryPointSuccess ? reinterpret_cast<Encode>(function) : nullptr;
  }();
  return found;
}

}  // namespace

CUtensorMap make_tensor_map(const void* data, Element type, std::int64_t columns, std::int64_t rows,
                            std::int64_t planes, int box_rows) {
  constexpr std::uint64_t element_bytes = 2;
  const Encode function = encode();
  if (function == nullptr) throw std::runtime_error("the driver has no cuTensorMapEncodeTiled");
  const auto row_bytes = static_cast<cuuint64_t>(columns) * element_bytes;
  const std::array<cuuint64_t, 3> sizes = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows),
                                           static_cast<cuuint64_t>(planes)};
  const std::array<cuuint64_t, 2> strides = {row_bytes, row_bytes * static_cast<cuuint64_t>(rows)};
  const std::array<cuuint32_t, 3> box = {64, static_cast<cuuint32_t>(box_rows), 1};
  const std::array<cuuint32_t, 3> every = {1, 1, 1};
  CUtensorMap map{};
  const CUresult status = function(
      &map, type == Element::float16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
      planes == 0 ? 2 : 3, const_cast<void*>(data), sizes.data(), strides.data(), box.data(), every.data(),
      CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
      CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS)
    throw std::runtime_error("cuTensorMapEncodeTiled: error " + std::to_string(static_cast<int>(status)));
  return map;
}

}  // namespace adaptive::kernels::cuda

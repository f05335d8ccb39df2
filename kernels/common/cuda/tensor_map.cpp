#include "kernels/common/cuda/tensor_map.hpp"

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>

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

/// `strides` are in elements and begin with that of the second dimension.
template <std::size_t dimensions>
CUtensorMap encoded(const void* data, CUtensorMapDataType type,
                    const std::array<std::int64_t, dimensions>& sizes,
                    const std::array<std::int64_t, dimensions - 1>& strides,
                    const std::array<int, dimensions>& box) {
  const Encode function = encode();
  if (function == nullptr) throw std::runtime_error("the driver has no cuTensorMapEncodeTiled");
  const cuuint64_t element_bytes = type == CU_TENSOR_MAP_DATA_TYPE_UINT8 ? 1 : 2;
  std::array<cuuint64_t, dimensions> all_sizes{};
  std::array<cuuint64_t, dimensions - 1> all_strides{};
  std::array<cuuint32_t, dimensions> all_box{}, every{};
  for (std::size_t i = 0; i < dimensions; ++i) {
    all_sizes[i] = static_cast<cuuint64_t>(sizes[i]);
    all_box[i] = static_cast<cuuint32_t>(box[i]);
    every[i] = 1;
    if (i > 0) all_strides[i - 1] = element_bytes * static_cast<cuuint64_t>(strides[i - 1]);
  }
  CUtensorMap map{};
  const CUresult status = function(&map, type, static_cast<cuuint32_t>(dimensions), const_cast<void*>(data),
                                   all_sizes.data(), all_strides.data(), all_box.data(), every.data(),
                                   CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                   CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS)
    throw std::runtime_error("cuTensorMapEncodeTiled: error " + std::to_string(static_cast<int>(status)));
  return map;
}

CUtensorMapDataType map_type(Element type) {
  return type == Element::float16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
}

}  // namespace

CUtensorMap make_tensor_map(const void* data, Element type, std::int64_t columns, std::int64_t rows,
                            std::int64_t planes, int box_rows) {
  if (planes == 0) return encoded<2>(data, map_type(type), {columns, rows}, {columns}, {64, box_rows});
  return encoded<3>(data, map_type(type), {columns, rows, planes}, {columns, columns * rows},
                    {64, box_rows, 1});
}

CUtensorMap make_interleaved_tensor_map(const void* data, Element type, std::int64_t columns,
                                        std::int64_t rows, std::int64_t planes, int box_rows) {
  return encoded<5>(data, map_type(type), {columns, 8, 2, rows / 8, planes},
                    {columns, columns * rows, 8 * columns, 2 * columns * rows}, {64, 8, 2, box_rows / 16, 1});
}

CUtensorMap make_interleaved_byte_map(const void* data, std::int64_t columns, std::int64_t rows,
                                      std::int64_t planes, int box_rows) {
  return encoded<5>(data, CU_TENSOR_MAP_DATA_TYPE_UINT8, {columns, 8, 2, rows / 8, planes},
                    {columns, columns * rows, 8 * columns, 2 * columns * rows},
                    {128, 8, 2, box_rows / 16, 1});
}

CUtensorMap make_byte_map(const void* data, std::int64_t columns, std::int64_t rows, int box_rows) {
  return encoded<2>(data, CU_TENSOR_MAP_DATA_TYPE_UINT8, {columns, rows}, {columns}, {128, box_rows});
}

}  // namespace adaptive::kernels::cuda

#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/common/element.hpp"

namespace adaptive::kernels::cuda {

/// [planes][rows][columns] without padding, columns a multiple of 8, nothing empty, in boxes of 64 columns
/// and `box_rows` rows, with the 128-byte swizzle. With `planes` 0 the matrix has no such dimension. Throws
/// std::runtime_error where the driver refuses.
CUtensorMap make_tensor_map(const void* data, Element type, std::int64_t columns, std::int64_t rows,
                            std::int64_t planes, int box_rows);

}  // namespace adaptive::kernels::cuda

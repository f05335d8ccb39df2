#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/common/element.hpp"

namespace adaptive::kernels::cuda {

/// Describes a matrix [planes][rows][columns] without padding for the copy engine, in boxes of 64 columns and
/// `box_rows` rows with the 128-byte swizzle. `columns` is a multiple of 8, and nothing is empty. With
/// `planes` 0 the matrix has only two dimensions. Throws std::runtime_error if the driver refuses.
CUtensorMap make_tensor_map(const void* data, Element type, std::int64_t columns, std::int64_t rows,
                            std::int64_t planes, int box_rows);

/// Describes a matrix [planes][2][rows][columns] in boxes of `box_rows` rows of which eight are of the first
/// half of a plane, eight of the second half, and so on; otherwise as above. Its dimensions are the columns,
/// the rows of eight, the halves, the eights of rows, and the planes. `rows` is a multiple of 8, `box_rows`
/// of 16.
CUtensorMap make_interleaved_tensor_map(const void* data, Element type, std::int64_t columns,
                                        std::int64_t rows, std::int64_t planes, int box_rows);

/// Describes a matrix of bytes [rows][columns] in the same way, in boxes of 128 columns. `columns` is a
/// multiple of 16.
CUtensorMap make_byte_map(const void* data, std::int64_t columns, std::int64_t rows, int box_rows);

/// As make_interleaved_tensor_map() for bytes, in boxes of 128 columns. `columns` is a multiple of 16.
CUtensorMap make_interleaved_byte_map(const void* data, std::int64_t columns, std::int64_t rows,
                                      std::int64_t planes, int box_rows);

}  // namespace adaptive::kernels::cuda

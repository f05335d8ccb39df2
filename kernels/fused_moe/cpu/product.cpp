#include "kernels/fused_moe/cpu/product.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace adaptive::kernels::fused_moe {
namespace {

/// The weights that all tiles read before the next ones stay in the second-level cache.
constexpr std::int64_t panel_bytes = std::int64_t{1} << 18;

std::size_t element(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

Product::Product(const ExpertWeights& weights, Type type, std::int64_t experts, std::int64_t parts,
                 std::int64_t part_rows, std::int64_t rows_max)
    : w_(weights),
      type_(type),
      experts_(experts),
      parts_(parts),
      part_rows_(part_rows),
      part_blocks_((part_rows + block_columns - 1) / block_columns) {
  const std::int64_t blocks = parts * part_blocks_;
  switch (type) {
    case Type::float32:
      packed_floats_ = pack(w_.floats);
      break;
    case Type::bfloat16:
      packed_bfloats_ = pack(w_.bfloats);
      break;
    case Type::int8_w8a16:
      packed_levels_ = pack(w_.levels);
      packed_scales_ = Buffer<float>(element(experts * blocks * block_columns));
      for (std::int64_t row = 0; row < experts * w_.rows; ++row) {
        const std::int64_t in_expert = row % w_.rows;
        packed_scales_[element((row / w_.rows * parts + in_expert / part_rows) * part_blocks_ *
                                   block_columns +
                               in_expert % part_rows)] = w_.scales[row];
      }
      ones_ = Buffer<float>(element(std::max<std::int64_t>(rows_max, block_columns)));
      std::fill(ones_.begin(), ones_.end(), 1.0F);
      value_of_level_.resize(256);
      for (int byte = 0; byte < 256; ++byte)
        value_of_level_[static_cast<std::size_t>(byte)] =
            static_cast<float>(static_cast<std::int8_t>(static_cast<std::uint8_t>(byte)));
      break;
    case Type::int4_w4a16:
      for (std::int64_t block = 0; block < experts * blocks; ++block)
        words_.push_back(w_.words + block * (w_.stride / group_columns) * 8 * block_rows);
      bits_.assign(element(blocks), 4);
      block_numbers_.resize(element(blocks));
      std::iota(block_numbers_.begin(), block_numbers_.end(), std::int64_t{0});
      break;
  }
}

/// [experts][parts * part_blocks][stride][16]; rows past a part are zero.
template <class T>
Buffer<T> Product::pack(const T* weights) const {
  const std::int64_t blocks = parts_ * part_blocks_;
  Buffer<T> packed(element(experts_ * blocks * w_.stride * block_columns));
  T* out = packed.data();
  for (std::int64_t expert = 0; expert < experts_; ++expert)
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t first = block % part_blocks_ * block_columns;
      const std::int64_t rows = std::min(block_columns, part_rows_ - first);
      const T* const from =
          weights + (expert * w_.rows + block / part_blocks_ * part_rows_ + first) * w_.stride;
      for (std::int64_t k = 0; k < w_.stride; ++k, out += block_columns)
        for (std::int64_t row = 0; row < rows; ++row) out[row] = from[row * w_.stride + k];
    }
  return packed;
}

const void* Product::packed(std::int64_t expert, std::int64_t block) const noexcept {
  const std::int64_t from = (expert * parts_ * part_blocks_ + block) * w_.stride * block_columns;
  if (type_ == Type::float32) return packed_floats_.data() + from;
  return packed_bfloats_.data() + from;
}

void Product::multiply(const ProductKernels& kernels, const ExpertRows& rows, Part part, float* panel,
                       float* out) const noexcept {
  if (type_ == Type::int4_w4a16)
    multiply_bits(kernels, rows, part, panel, out);
  else if (type_ == Type::int8_w8a16)
    multiply_levels(kernels, rows, part, panel, out);
  else
    multiply_floats(kernels, rows, part, panel, out);
}

void Product::multiply_floats(const ProductKernels& kernels, const ExpertRows& rows, Part part, float* panel,
                              float* out) const noexcept {
  const bool is_float32 = type_ == Type::float32;
  const std::int64_t n = columns(kernels);
  const grouped_gemm::Group group{rows.expert, 0, rows.rows};
  const grouped_gemm::Operands operands{
      .tokens = rows.rows,
      .n = n,
      .k = w_.columns,
      .k_stride = w_.stride,
      .experts = experts_,
      .type = is_float32 ? grouped_gemm::Type::float32 : grouped_gemm::Type::bfloat16,
      .x = nullptr,  // the kernels of this family read the tiles
      .w = is_float32 ? static_cast<const void*>(w_.floats) : w_.bfloats,
      .y = out,
      .groups = &group,
      .group_count = 1};
  const std::int64_t first_tile_row = 0;
  const grouped_gemm::Scratch scratch{rows.tiles, &first_tile_row, packed(0, 0), panel};
  const std::int64_t blocks = (n + block_columns - 1) / block_columns;
  // The panel is the calling thread's own, so it is the first one.
  kernels.floats(operands, scratch,
                 {0, 1, blocks * part.index / part.count, blocks * (part.index + 1) / part.count, 0});
}

void Product::multiply_levels(const ProductKernels& kernels, const ExpertRows& rows, Part part, float* panel,
                              float* out) const noexcept {
  const quantized_matmul::Operands operands{
      .tokens = rows.rows,
      .out_features = columns(kernels),
      .in_features = w_.columns,
      .k_stride = w_.stride,
      .types = quantized_matmul::Types::int8_w8a16,
      .scales = quantized_matmul::Scales::channel,
      .segments = 1,
      .segment_columns = w_.stride,
      .x = nullptr,  // the kernels read the tiles
      .w = reinterpret_cast<const std::uint8_t*>(w_.levels + rows.expert * w_.rows * w_.stride),
      .w_scales = w_.scales + rows.expert * w_.rows,
      .y = out};
  if (kernels.levels == nullptr)
    return quantized_matmul::eigen_dequantise(operands, rows.tiles, ones_.data(), value_of_level_.data(),
                                              panel);
  const std::int64_t blocks = (operands.out_features + block_columns - 1) / block_columns;
  const std::int64_t first_row = rows.expert * parts_ * part_blocks_ * block_columns;
  const quantized_matmul::Weights weights{
      reinterpret_cast<const std::uint8_t*>(packed_levels_.data()) + first_row * w_.stride,
      packed_scales_.data() + first_row, nullptr};
  const std::int64_t end = blocks * (part.index + 1) / part.count;
  const std::int64_t together = std::max<std::int64_t>(4, panel_bytes / (block_columns * w_.stride));
  for (std::int64_t block = blocks * part.index / part.count; block < end; block += together)
    for (std::int64_t row = 0; row < rows.rows; row += rows.tile)
      kernels.levels(
          operands, weights,
          {nullptr, rows.tiles + row * w_.stride, ones_.data(), row, std::min(rows.tile, rows.rows - row)},
          {block, std::min(block + together, end)});
}

void Product::multiply_bits(const ProductKernels& kernels, const ExpertRows& rows, Part part, float* panel,
                            float* out) const noexcept {
  const std::int64_t groups = w_.stride / group_columns;
  const mixed_bit_matmul::Operands operands{
      .tokens = rows.rows,
      .out_features = columns(kernels),
      .groups = groups,
      .block_count = w_.blocks,
      .x = rows.tiles,  // for the kernel that takes rows, whose tiles have one
      .y = out,
      .scales = w_.scales + rows.expert * w_.blocks * groups * 2 * block_rows,
      .words = words_.data() + rows.expert * w_.blocks,
      .block_bits = bits_.data(),
      .lists = {{4, block_numbers_.data(), w_.blocks}, {}, {}, {}},
      .list_count = 1};
  const mixed_bit_matmul::Scratch scratch{rows.tiles, rows.sums, nullptr, nullptr, panel};
  kernels.bits(operands, scratch, {part.index, part.count, 0});
}

}  // namespace adaptive::kernels::fused_moe

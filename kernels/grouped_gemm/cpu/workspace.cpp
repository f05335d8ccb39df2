#include "kernels/grouped_gemm/cpu/workspace.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernels/common/cpu/helper_thread.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

constexpr std::int64_t tile_max = 12;
/// With eight pieces, a delayed thread delays the end by at most an eighth.
constexpr std::int64_t column_pieces = 8;

/// Packs W as [experts][ceil(n / 16)][k_stride][16]; columns past n are zero.
template <class T>
Buffer<T> pack(const Operands& operands) {
  const std::int64_t blocks = (operands.n + block_columns - 1) / block_columns;
  Buffer<T> packed(static_cast<std::size_t>(operands.experts * blocks * operands.k_stride * block_columns));
  const auto* w = static_cast<const T*>(operands.w);
  T* out = packed.data();
  for (std::int64_t expert = 0; expert < operands.experts; ++expert)
    for (std::int64_t block = 0; block < blocks; ++block)
      for (std::int64_t k = 0; k < operands.k_stride; ++k)
        for (std::int64_t column = block * block_columns; column < (block + 1) * block_columns;
             ++column, ++out)
          if (column < operands.n) *out = w[(expert * operands.n + column) * operands.k_stride + k];
  return packed;
}

float widened(float value) {
  return value;
}

float widened(std::uint16_t value) {
  const std::uint32_t bits = std::uint32_t{value} << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

}  // namespace

Workspace::Workspace(const Operands& operands)
    : x_tiles_(
          static_cast<std::size_t>((operands.tokens + operands.group_count * tile_max) * operands.k_stride)),
      panels_(2 * panel_columns * panel_depth),
      tile_rows_(static_cast<std::size_t>(operands.group_count)) {
  if (operands.type == Type::float32)
    packed_float_ = pack<float>(operands);
  else
    packed_bfloat_ = pack<std::uint16_t>(operands);
}

void Workspace::run(const Operands& operands, const Method& method) noexcept {
  const Scratch scratch = prepare(operands, method);
  const std::int64_t groups = operands.group_count;
  const std::int64_t blocks = (operands.n + block_columns - 1) / block_columns;
  auto by_expert = [&](std::size_t piece, int thread) {
    const auto group = static_cast<std::int64_t>(piece);
    method.kernel(operands, scratch, {group, group + 1, 0, blocks, thread});
  };
  auto by_column = [&](std::size_t piece, int thread) {
    const auto part = static_cast<std::int64_t>(piece);
    method.kernel(operands, scratch,
                  {0, groups, blocks * part / column_pieces, blocks * (part + 1) / column_pieces, thread});
  };
  switch (method.split) {
    case Split::none:
      method.kernel(operands, scratch, {0, groups, 0, blocks, 0});
      break;
    case Split::experts:
      run_on_two_threads(static_cast<std::size_t>(groups), by_expert);
      break;
    case Split::columns:
      run_on_two_threads(column_pieces, by_column);
      break;
  }
}

Scratch Workspace::prepare(const Operands& operands, const Method& method) noexcept {
  const float* x = x_tiles_.data();
  const std::int64_t tile = std::max(method.tile, 1);
  if (tile == 1 && operands.type == Type::float32) {
    x = static_cast<const float*>(operands.x);
    for (std::int64_t g = 0; g < operands.group_count; ++g)
      tile_rows_[static_cast<std::size_t>(g)] = operands.groups[g].first_row;
  } else if (!method.widens_rows) {
    if (operands.type == Type::float32)
      interleave<float>(operands, tile);
    else
      interleave<std::uint16_t>(operands, tile);
  }
  const void* packed =
      operands.type == Type::float32 ? static_cast<const void*>(packed_float_.data()) : packed_bfloat_.data();
  return {x, tile_rows_.data(), packed, panels_.data()};
}

template <class T>
void Workspace::interleave(const Operands& operands, std::int64_t tile) noexcept {
  const std::int64_t stride = operands.k_stride;
  std::int64_t tile_row = 0;
  for (std::int64_t g = 0; g < operands.group_count; ++g) {
    const Group& group = operands.groups[g];
    tile_rows_[static_cast<std::size_t>(g)] = tile_row;
    for (std::int64_t row = 0; row < group.rows; row += tile, tile_row += tile) {
      const T* x = static_cast<const T*>(operands.x) + (group.first_row + row) * stride;
      float* out = x_tiles_.data() + tile_row * stride;
      const std::int64_t in_tile = std::min(tile, group.rows - row);
      for (std::int64_t k = 0; k < stride; ++k)
        for (std::int64_t t = 0; t < tile; ++t)
          out[k * tile + t] = t < in_tile ? widened(x[t * stride + k]) : 0;
    }
  }
}

}  // namespace adaptive::kernels::grouped_gemm

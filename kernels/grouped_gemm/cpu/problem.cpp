#include "kernels/grouped_gemm/cpu/problem.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/common/cpu/host_problem.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"
#include "kernels/grouped_gemm/problem.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

/// How two threads share the work; `none` means one thread.
enum class Split { none, experts, columns };

struct Row {
  const char* name;
  const char* instructions;
  bool (*available)() noexcept;
  const char* weights;  ///< "stored", "packed" in advance, or "repacked" in each launch
  int tile;             ///< rows computed at once; 0 if the library decides
  Split split;
  const char* numeric_class;
  bool widens_rows;  ///< the kernel takes the rows as stored, so no copy of x is made
  std::int64_t rows_per_group_max;
  Kernel kernel;
};

constexpr std::int64_t any = std::int64_t{1} << 62;

// Kernels of one row read the weights again for each row; they are not offered for groups of more than 8 rows
// on average.
constexpr auto rows = std::to_array<Row>({
    {"eigen_experts", "widest", any_processor, "stored", 0, Split::none, "eigen", false, any, eigen_experts},
    {"portable_packed2", "any", any_processor, "packed", 2, Split::none, "depth_portable", false, any,
     packed2_portable},
#ifdef ADAPTIVE_KERNELS_X86
    {"avx2_rows1", "avx2", has_avx2, "stored", 1, Split::none, "lanes8", true, 8, rows1_avx2},
    {"avx2_packed1", "avx2", has_avx2, "packed", 1, Split::none, "depth_fma", false, 8, packed1_avx2},
    {"avx2_packed6", "avx2", has_avx2, "packed", 6, Split::none, "depth_fma", false, any, packed6_avx2},
    {"avx512_rows1", "avx512", has_avx512, "stored", 1, Split::none, "lanes16", true, 8, rows1_avx512},
    {"avx512_rows4", "avx512", has_avx512, "stored", 4, Split::none, "lanes16", true, any, rows4_avx512},
    {"avx512_rows1_columns2", "avx512", has_avx512, "stored", 1, Split::columns, "lanes16", true, 8,
     rows1_avx512},
    {"avx512_packed1", "avx512", has_avx512, "packed", 1, Split::none, "depth_fma", false, 8, packed1_avx512},
    {"avx512_packed4", "avx512", has_avx512, "packed", 4, Split::none, "depth_fma", false, any,
     packed4_avx512},
    {"avx512_packed8", "avx512", has_avx512, "packed", 8, Split::none, "depth_fma", false, any,
     packed8_avx512},
    {"avx512_packed12", "avx512", has_avx512, "packed", 12, Split::none, "depth_fma", false, any,
     packed12_avx512},
    {"avx512_repack12", "avx512", has_avx512, "repacked", 12, Split::none, "depth_fma", false, any,
     repack12_avx512},
    {"avx512_packed4_experts2", "avx512", has_avx512, "packed", 4, Split::experts, "depth_fma", false, any,
     packed4_avx512},
    {"avx512_packed12_experts2", "avx512", has_avx512, "packed", 12, Split::experts, "depth_fma", false, any,
     packed12_avx512},
    {"avx512_packed12_columns2", "avx512", has_avx512, "packed", 12, Split::columns, "depth_fma", false, any,
     packed12_avx512},
#endif
});

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

class CpuProblem final : public HostProblem<Data> {
 public:
  CpuProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : HostProblem(shape, seed, variants) {
    const Operands& operands = this->operands();
    x_tiles_ = Buffer<float>(
        static_cast<std::size_t>((operands.tokens + operands.group_count * tile_max) * operands.k_stride));
    tile_rows_ = Buffer<std::int64_t>(static_cast<std::size_t>(operands.group_count));
    panels_ = Buffer<float>(2 * panel_columns * panel_depth);
    if (operands.type == Type::float32)
      packed_float_ = pack<float>(operands);
    else
      packed_bfloat_ = pack<std::uint16_t>(operands);
  }

 private:
  void run(std::size_t variant) noexcept override {
    const Row& row = rows[variant];
    const Operands& operands = this->operands();
    const Scratch scratch = prepare(row, operands);
    const std::int64_t groups = operands.group_count;
    const std::int64_t blocks = (operands.n + block_columns - 1) / block_columns;
    auto by_expert = [&](std::size_t piece, int thread) {
      const auto group = static_cast<std::int64_t>(piece);
      row.kernel(operands, scratch, {group, group + 1, 0, blocks, thread});
    };
    auto by_column = [&](std::size_t piece, int thread) {
      const auto part = static_cast<std::int64_t>(piece);
      row.kernel(operands, scratch,
                 {0, groups, blocks * part / column_pieces, blocks * (part + 1) / column_pieces, thread});
    };
    switch (row.split) {
      case Split::none:
        row.kernel(operands, scratch, {0, groups, 0, blocks, 0});
        break;
      case Split::experts:
        run_on_two_threads(static_cast<std::size_t>(groups), by_expert);
        break;
      case Split::columns:
        run_on_two_threads(column_pieces, by_column);
        break;
    }
  }

  Scratch prepare(const Row& row, const Operands& operands) noexcept {
    const float* x = x_tiles_.data();
    const std::int64_t tile = std::max(row.tile, 1);
    if (tile == 1 && operands.type == Type::float32) {
      x = static_cast<const float*>(operands.x);
      for (std::int64_t g = 0; g < operands.group_count; ++g)
        tile_rows_[static_cast<std::size_t>(g)] = operands.groups[g].first_row;
    } else if (!row.widens_rows) {
      if (operands.type == Type::float32)
        interleave<float>(operands, tile);
      else
        interleave<std::uint16_t>(operands, tile);
    }
    const void* packed = operands.type == Type::float32 ? static_cast<const void*>(packed_float_.data())
                                                        : packed_bfloat_.data();
    return {x, tile_rows_.data(), packed, panels_.data()};
  }

  template <class T>
  void interleave(const Operands& operands, std::int64_t tile) noexcept {
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

  Buffer<float> x_tiles_, panels_, packed_float_;
  Buffer<std::uint16_t> packed_bfloat_;
  Buffer<std::int64_t> tile_rows_;
};

}  // namespace

std::vector<Variant> cpu_variants() {
  std::vector<Variant> variants;
  for (const Row& row : rows) {
    Variant& variant = variants.emplace_back();
    variant.name = row.name;
    const char* split = row.split == Split::none      ? "none"
                        : row.split == Split::experts ? "experts"
                                                      : "columns";
    variant.parameters = {{"instructions", row.instructions},
                          {"weights", row.weights},
                          {"tile", std::int64_t{row.tile}},
                          {"split", split},
                          {"threads", std::int64_t{row.split == Split::none ? 1 : 2}}};
    variant.numeric_class = row.numeric_class;
    variant.available = row.available;
    variant.supports = [&row](const Shape& shape) {
      const Sizes sizes(shape);
      return row.rows_per_group_max == any || sizes.tokens <= row.rows_per_group_max * sizes.filled;
    };
  }
  return variants;
}

std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants) {
  return std::make_unique<CpuProblem>(shape, seed, variants);
}

}  // namespace adaptive::kernels::grouped_gemm

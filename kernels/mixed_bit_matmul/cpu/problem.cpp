#include "kernels/mixed_bit_matmul/cpu/problem.hpp"

#include <array>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/common/cpu/host_problem.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/mixed_bit_matmul/cpu/kernels.hpp"
#include "kernels/mixed_bit_matmul/problem.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

/// What must be computed from the activations before a kernel runs.
enum class Needs { nothing, sums, tiles, tiles_and_sums, tables };

struct Row {
  const char* name;
  const char* instructions;
  bool (*available)() noexcept;
  const char* method;
  int tile;  ///< tokens computed at once; 0 if the library decides
  int threads;
  const char* numeric_class;
  Needs needs;
  std::int64_t tokens_min, tokens_max;
  Kernel kernel;
};

constexpr std::int64_t any = std::int64_t{1} << 62;

// The default is the obvious implementation with a matrix library. A tile of T tokens is not offered for T /
// 2 tokens or fewer: half of its work would be discarded, and the next smaller tile does the same without
// that. Decode tiles are not offered if they would read the weights more than four times.
constexpr auto rows = std::to_array<Row>({
    {"eigen_panel", "widest", any_processor, "panel", 0, 1, "panel_eigen", Needs::nothing, 0, any,
     panel_eigen},
    {"portable_tile1", "any", any_processor, "registers", 1, 1, "registers_portable", Needs::sums, 0, 4,
     tile1_portable},
    {"portable_panel2", "any", any_processor, "panel", 2, 1, "panel_portable", Needs::tiles, 2, any,
     panel_portable},
#ifdef ADAPTIVE_KERNELS_X86
    {"avx2_tile1", "avx2", has_avx2, "registers", 1, 1, "registers_fma", Needs::sums, 0, 4, tile1_avx2},
    {"avx2_tile4", "avx2", has_avx2, "registers", 4, 1, "registers_fma", Needs::tiles_and_sums, 3, any,
     tile4_avx2},
    {"avx2_panel6", "avx2", has_avx2, "panel", 6, 1, "panel_fma", Needs::tiles, 4, any, panel_avx2},
    {"avx512_tile1", "avx512", has_avx512, "registers", 1, 1, "registers_fma", Needs::sums, 0, 4,
     tile1_avx512},
    {"avx512_tile1_threads2", "avx512", has_avx512, "registers", 1, 2, "registers_fma", Needs::sums, 0, 4,
     tile1_avx512},
    {"avx512_tile4", "avx512", has_avx512, "registers", 4, 1, "registers_fma", Needs::tiles_and_sums, 3, any,
     tile4_avx512},
    {"avx512_tile8", "avx512", has_avx512, "registers", 8, 1, "registers_fma", Needs::tiles_and_sums, 5, any,
     tile8_avx512},
    {"avx512_tile16", "avx512", has_avx512, "registers", 16, 1, "registers_fma", Needs::tiles_and_sums, 9,
     any, tile16_avx512},
    {"avx512_tile8_threads2", "avx512", has_avx512, "registers", 8, 2, "registers_fma", Needs::tiles_and_sums,
     5, any, tile8_avx512},
    {"avx512_tables", "avx512", has_avx512, "tables", 1, 1, "tables", Needs::tables, 1, table_tokens_max,
     tables_avx512},
    {"avx512_tables_threads2", "avx512", has_avx512, "tables", 1, 2, "tables", Needs::tables, 1,
     table_tokens_max, tables_avx512},
    {"avx512_panel12", "avx512", has_avx512, "panel", 12, 1, "panel_fma", Needs::tiles, 7, any, panel_avx512},
    {"avx512_panel12_threads2", "avx512", has_avx512, "panel", 12, 2, "panel_fma", Needs::tiles, 7, any,
     panel_avx512},
#endif
});

constexpr std::int64_t tile_max = 16;
/// With eight pieces, a delayed thread delays the end by at most an eighth.
constexpr std::size_t pieces_per_job = 8;

bool has_table_width(std::int64_t bits_mask) {
  return (bits_mask & 3) != 0;  // widths 2 and 3
}

class CpuProblem final : public HostProblem<Data> {
 public:
  CpuProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : HostProblem(shape, seed, variants) {
    const Operands& operands = this->operands();
    const auto tokens = static_cast<std::size_t>(operands.tokens);
    const auto groups = static_cast<std::size_t>(operands.groups);
    x_tiles_ = Buffer<float>((tokens + tile_max) * groups * group_size);
    x_sums_ = Buffer<float>((tokens + tile_max) * groups);
    panels_ = Buffer<float>(2 * panel_rows * panel_columns);
    const std::int64_t mask = Sizes(shape).bits_mask;
    if (operands.tokens <= table_tokens_max && has_table_width(mask)) {
      pair_tables_ = Buffer<float>(tokens * groups * 32 * 16);
      if ((mask & 2) != 0) quad_tables_ = Buffer<float>(tokens * groups * 16 * 16);
    }
  }

 private:
  void run(std::size_t variant) noexcept override {
    const Row& row = rows[variant];
    const Operands& operands = this->operands();
    const Scratch scratch = prepare(row, operands);
    if (row.threads == 1) {
      row.kernel(operands, scratch, {0, 1, 0});
    } else {
      auto share = [&](std::size_t piece, int thread) {
        row.kernel(operands, scratch, {static_cast<std::int64_t>(piece), pieces_per_job, thread});
      };
      run_on_two_threads(pieces_per_job, share);
    }
  }

  Scratch prepare(const Row& row, const Operands& operands) noexcept {
    const float* tiles = operands.x;  // a tile of one token is the row itself
    if (row.needs == Needs::tiles || row.needs == Needs::tiles_and_sums) {
      interleave(operands, row.tile);
      tiles = x_tiles_.data();
    }
    if (row.needs != Needs::nothing && row.needs != Needs::tiles) sum_groups(operands, row.tile);
#ifdef ADAPTIVE_KERNELS_X86
    if (row.needs == Needs::tables) make_tables_avx512(operands, pair_tables_.data(), quad_tables_.data());
#endif
    return {tiles, x_sums_.data(), pair_tables_.data(), quad_tables_.data(), panels_.data()};
  }

  void interleave(const Operands& operands, std::int64_t tile) noexcept {
    const std::int64_t columns = operands.groups * group_size;
    for (std::int64_t token = 0; token < operands.tokens; token += tile) {
      float* out = x_tiles_.data() + token * columns;
      const std::int64_t tokens = std::min(tile, operands.tokens - token);
      for (std::int64_t column = 0; column < columns; ++column)
        for (std::int64_t t = 0; t < tile; ++t)
          out[column * tile + t] = t < tokens ? operands.x[(token + t) * columns + column] : 0;
    }
  }

  void sum_groups(const Operands& operands, std::int64_t tile) noexcept {
    const std::int64_t columns = operands.groups * group_size;
    for (std::int64_t token = 0; token < operands.tokens; ++token) {
      float* out = x_sums_.data() + token / tile * tile * operands.groups + token % tile;
      for (std::int64_t group = 0; group < operands.groups; ++group) {
        const float* x = operands.x + token * columns + group * group_size;
        float lanes[16] = {};  // the same order of additions for every variant, in a form that vectorises
        for (int i = 0; i < group_size; i += 16)
          for (int lane = 0; lane < 16; ++lane) lanes[lane] += x[i + lane];
        float sum = 0;
        for (const float lane : lanes) sum += lane;
        out[group * tile] = sum;
      }
    }
  }

  Buffer<float> x_tiles_, x_sums_, pair_tables_, quad_tables_, panels_;
};

}  // namespace

std::vector<Variant> cpu_variants() {
  std::vector<Variant> variants;
  for (const Row& row : rows) {
    Variant& variant = variants.emplace_back();
    variant.name = row.name;
    variant.parameters = {{"instructions", row.instructions},
                          {"method", row.method},
                          {"tile", std::int64_t{row.tile}},
                          {"threads", std::int64_t{row.threads}}};
    variant.numeric_class = row.numeric_class;
    variant.available = row.available;
    variant.supports = [&row](const Shape& shape) {
      const Sizes sizes(shape);
      return sizes.tokens >= row.tokens_min && sizes.tokens <= row.tokens_max &&
             (row.needs != Needs::tables || has_table_width(sizes.bits_mask));
    };
  }
  return variants;
}

std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants) {
  return std::make_unique<CpuProblem>(shape, seed, variants);
}

}  // namespace adaptive::kernels::mixed_bit_matmul

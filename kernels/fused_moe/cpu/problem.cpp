#include "kernels/fused_moe/cpu/problem.hpp"

#include <array>
#include <cstdint>

#include "kernels/common/cpu/host_problem.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/fused_moe/cpu/kernels.hpp"
#include "kernels/fused_moe/cpu/workspace.hpp"
#include "kernels/fused_moe/problem.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

namespace gg = grouped_gemm;
namespace qm = quantized_matmul;
namespace mb = mixed_bit_matmul;

/// The types of weights that a variant has kernels for.
enum class Weights { all, floats, int8, int4 };

struct Row {
  const char* name;
  const char* instructions;
  bool (*available)() noexcept;
  Weights weights;
  bool is_packed;        ///< reads a second copy of the weights; 4 bits need none
  std::int64_t columns;  ///< rows of W_up, and of W_down, computed at once; 0 if the library decides
  const char* numeric_class;
  std::int64_t rows_per_expert_max;
  Method method;
};

constexpr std::int64_t any = std::int64_t{1} << 62;
constexpr Elementwise portable = {activate_portable, add_scaled_portable};

constexpr Method apart(int tile, ProductKernels kernels, Elementwise elementwise, bool needs_sums = false,
                       Split split = Split::none, Sum sum = Sum::slots) {
  return {tile, nullptr, kernels, kernels, needs_sums, split, sum, elementwise};
}

#ifdef ADAPTIVE_KERNELS_X86
/// Tiles of one row read the weights again for each row, so they are not offered for experts with more rows
/// on average.
constexpr std::int64_t few = 8;
constexpr Elementwise avx2 = {activate_avx2, add_scaled_avx2};
constexpr Elementwise avx512 = {activate_avx512, add_scaled_avx512};

constexpr ProductKernels floats(gg::Kernel kernel, bool is_packed = true) {
  return {kernel, nullptr, nullptr, is_packed};
}
constexpr ProductKernels int8(qm::Kernel kernel) {
  return {nullptr, kernel, nullptr, true};
}
constexpr Method fused(int tile, PairKernel pairs, gg::Kernel down, Elementwise elementwise,
                       Split split = Split::none, Sum sum = Sum::slots) {
  return {tile, pairs, floats(nullptr), floats(down), false, split, sum, elementwise};
}
#endif
constexpr ProductKernels int4(mb::Kernel kernel) {
  return {nullptr, nullptr, kernel, true};
}

// In a pair of tiles, both products have the rows of one tile. Here they have as many columns, too: half of
// those of gate and up are of gate.
constexpr auto pairs_of_tiles = std::to_array<Row>({
    {"eigen_experts", "widest", any_processor, Weights::all, false, 0, "eigen", any,
     apart(1, {gg::eigen_experts, nullptr, mb::panel_eigen, false}, portable)},
    {"portable_tile2", "any", any_processor, Weights::floats, true, 16, "depth_portable", any,
     apart(2, {gg::packed2_portable, nullptr, nullptr, true}, portable)},
    {"portable_int4_panel2", "any", any_processor, Weights::int4, false, 16, "int4_panel_portable", any,
     apart(2, int4(mb::panel_portable), portable)},
#ifdef ADAPTIVE_KERNELS_X86
    {"avx2_tile1_fused", "avx2", has_avx2, Weights::floats, true, 64, "depth_fma", few,
     fused(1, pairs1_avx2, gg::packed1_avx2, avx2)},
    {"avx2_tile6", "avx2", has_avx2, Weights::floats, true, 16, "depth_fma", any,
     apart(6, floats(gg::packed6_avx2), avx2)},
    {"avx2_tile6_fused", "avx2", has_avx2, Weights::floats, true, 16, "depth_fma", any,
     fused(6, pairs6_avx2, gg::packed6_avx2, avx2)},
    {"avx512_tile1", "avx512", has_avx512, Weights::floats, true, 128, "depth_fma", few,
     apart(1, floats(gg::packed1_avx512), avx512)},
    {"avx512_tile1_fused", "avx512", has_avx512, Weights::floats, true, 128, "depth_fma", few,
     fused(1, pairs1_avx512, gg::packed1_avx512, avx512)},
    {"avx512_tile4", "avx512", has_avx512, Weights::floats, true, 64, "depth_fma", any,
     apart(4, floats(gg::packed4_avx512), avx512)},
    {"avx512_tile4_fused", "avx512", has_avx512, Weights::floats, true, 64, "depth_fma", any,
     fused(4, pairs4_avx512, gg::packed4_avx512, avx512)},
    {"avx512_tile12", "avx512", has_avx512, Weights::floats, true, 32, "depth_fma", any,
     apart(12, floats(gg::packed12_avx512), avx512)},
    {"avx512_tile12_fused", "avx512", has_avx512, Weights::floats, true, 32, "depth_fma", any,
     fused(12, pairs12_avx512, gg::packed12_avx512, avx512)},
    {"avx512_tile12_repacked", "avx512", has_avx512, Weights::floats, false, 32, "depth_fma", any,
     apart(12, floats(gg::repack12_avx512, false), avx512)},
    {"avx512_tile4_fused_scatter", "avx512", has_avx512, Weights::floats, true, 64, "depth_fma_scatter", any,
     fused(4, pairs4_avx512, gg::packed4_avx512, avx512, Split::none, Sum::experts)},
    {"avx512_tile12_fused_scatter", "avx512", has_avx512, Weights::floats, true, 32, "depth_fma_scatter", any,
     fused(12, pairs12_avx512, gg::packed12_avx512, avx512, Split::none, Sum::experts)},
    {"avx512_tile1_fused_columns2", "avx512", has_avx512, Weights::floats, true, 128, "depth_fma", few,
     fused(1, pairs1_avx512, gg::packed1_avx512, avx512, Split::columns)},
    {"avx512_tile4_fused_experts2", "avx512", has_avx512, Weights::floats, true, 64, "depth_fma", any,
     fused(4, pairs4_avx512, gg::packed4_avx512, avx512, Split::experts)},
    {"avx512_tile12_fused_experts2", "avx512", has_avx512, Weights::floats, true, 32, "depth_fma", any,
     fused(12, pairs12_avx512, gg::packed12_avx512, avx512, Split::experts)},
    {"avx512_tile12_columns2", "avx512", has_avx512, Weights::floats, true, 32, "depth_fma", any,
     apart(12, floats(gg::packed12_avx512), avx512, false, Split::columns)},
    {"avx512_int8_tile1", "avx512", has_avx512, Weights::int8, true, 64, "int8_fma", few,
     apart(1, int8(qm::floats1_avx512), avx512)},
    {"avx512_int8_tile4", "avx512", has_avx512, Weights::int8, true, 64, "int8_fma", any,
     apart(4, int8(qm::floats4_avx512), avx512)},
    {"avx512_int8_tile12", "avx512", has_avx512, Weights::int8, true, 32, "int8_fma", any,
     apart(12, int8(qm::floats12_avx512), avx512)},
    {"avx512_int8_tile4_columns2", "avx512", has_avx512, Weights::int8, true, 64, "int8_fma", any,
     apart(4, int8(qm::floats4_avx512), avx512, false, Split::columns)},
    {"avx2_int4_tile1", "avx2", has_avx2, Weights::int4, false, 32, "int4_registers_fma", few,
     apart(1, int4(mb::tile1_avx2), avx2, true)},
    {"avx2_int4_tile4", "avx2", has_avx2, Weights::int4, false, 16, "int4_registers_fma", any,
     apart(4, int4(mb::tile4_avx2), avx2, true)},
    {"avx512_int4_tile1", "avx512", has_avx512, Weights::int4, false, 64, "int4_registers_fma", few,
     apart(1, int4(mb::tile1_avx512), avx512, true)},
    {"avx512_int4_tile1_columns2", "avx512", has_avx512, Weights::int4, false, 64, "int4_registers_fma", few,
     apart(1, int4(mb::tile1_avx512), avx512, true, Split::columns)},
    {"avx512_int4_tile4", "avx512", has_avx512, Weights::int4, false, 32, "int4_registers_fma", any,
     apart(4, int4(mb::tile4_avx512), avx512, true)},
    {"avx512_int4_panel12", "avx512", has_avx512, Weights::int4, false, 32, "int4_panel_fma", any,
     apart(12, int4(mb::panel_avx512), avx512)},
    {"avx512_int4_panel12_experts2", "avx512", has_avx512, Weights::int4, false, 32, "int4_panel_fma", any,
     apart(12, int4(mb::panel_avx512), avx512, false, Split::experts)},
#endif
});

bool has_kernels(Weights weights, Type type) {
  switch (weights) {
    case Weights::all:
      return true;
    case Weights::floats:
      return type == Type::float32 || type == Type::bfloat16;
    case Weights::int8:
      return type == Type::int8_w8a16;
    case Weights::int4:
      break;
  }
  return type == Type::int4_w4a16;
}

/// A second copy of the weights.
std::uint64_t packed_bytes(const Shape& shape) {
  const Sizes s(shape);
  const auto up = [](std::int64_t size, std::int64_t to) { return (size + to - 1) / to * to; };
  const std::int64_t elements = 2 * up(s.intermediate_size, block_columns) * up(s.hidden_size, 128) +
                                up(s.hidden_size, block_columns) * up(s.intermediate_size, 128);
  const std::int64_t bytes = s.type == Type::float32 ? 4 : s.type == Type::bfloat16 ? 2 : 1;
  return static_cast<std::uint64_t>(s.experts * elements * bytes);
}

class MoeProblem final : public HostProblem<Data> {
 public:
  MoeProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : HostProblem(shape, seed, variants), workspace_(operands()) {}

 private:
  void run(std::size_t variant) noexcept override {
    workspace_.run(operands(), pairs_of_tiles[variant].method);
  }

  Workspace workspace_;
};

const char* name_of(Split split) {
  return split == Split::none ? "none" : split == Split::experts ? "experts" : "columns";
}

}  // namespace

std::vector<Variant> cpu_variants() {
  std::vector<Variant> variants;
  for (const Row& row : pairs_of_tiles) {
    const Method& method = row.method;
    const bool by_library = row.columns == 0;
    Variant& variant = variants.emplace_back();
    variant.name = row.name;
    variant.parameters = {{"instructions", row.instructions},
                          {"rows", std::int64_t{by_library ? 0 : method.tile}},
                          {"columns_up", row.columns},
                          {"columns_down", row.columns},
                          {"activation", method.pairs != nullptr ? "fused" : "apart"},
                          {"sum", method.sum == Sum::slots ? "slots" : "experts"},
                          {"split", name_of(method.split)},
                          {"threads", std::int64_t{method.split == Split::none ? 1 : 2}}};
    variant.numeric_class = row.numeric_class;
    variant.available = row.available;
    variant.supports = [&row](const Shape& shape) {
      const Sizes s(shape);
      // Rows are pairs that are here: one of expert_parallel, if the experts are alike.
      return has_kernels(row.weights, s.type) &&
             (row.rows_per_expert_max == any ||
              s.tokens * s.top_k <= row.rows_per_expert_max * s.expert_parallel * s.filled);
    };
    if (row.is_packed) variant.memory = packed_bytes;
  }
  return variants;
}

std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants) {
  return std::make_unique<MoeProblem>(shape, seed, variants);
}

}  // namespace adaptive::kernels::fused_moe

#include "kernels/grouped_gemm/cpu/problem.hpp"

#include <array>
#include <string_view>

#include "kernels/common/cpu/host_problem.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"
#include "kernels/grouped_gemm/cpu/workspace.hpp"
#include "kernels/grouped_gemm/problem.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

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

/// A second copy of the weights.
std::uint64_t packed_bytes(const Shape& shape) {
  const Sizes sizes(shape);
  const auto up = [](std::int64_t size) {
    return (size + block_columns - 1) / block_columns * block_columns;
  };
  return static_cast<std::uint64_t>(sizes.experts * up(sizes.n) * up(sizes.k) *
                                    (sizes.type == Type::float32 ? 4 : 2));
}

class CpuProblem final : public HostProblem<Data> {
 public:
  CpuProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : HostProblem(shape, seed, variants), workspace_(operands()) {}

 private:
  void run(std::size_t variant) noexcept override {
    const Row& row = rows[variant];
    workspace_.run(operands(), {row.kernel, row.tile, row.split, row.widens_rows});
  }

  Workspace workspace_;
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
    if (std::string_view(row.weights) == "packed") variant.memory = packed_bytes;
  }
  return variants;
}

std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants) {
  return std::make_unique<CpuProblem>(shape, seed, variants);
}

}  // namespace adaptive::kernels::grouped_gemm

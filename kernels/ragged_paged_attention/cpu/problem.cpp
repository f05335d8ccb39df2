#include "kernels/ragged_paged_attention/cpu/problem.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/common/cpu/host_problem.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"
#include "kernels/ragged_paged_attention/cpu/workspace.hpp"
#include "kernels/ragged_paged_attention/problem.hpp"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

/// For which batches a variant is offered.
enum class For {
  all,
  decode,  ///< up to 8 new tokens for each sequence: a kernel of rows reads the cache again for each token
  mixed,   ///< not if no sequence can have more than one new token
};

struct Row {
  const char* name;
  const char* instructions;
  bool (*available)() noexcept;
  const char* method;
  Method how;
  For batches;
  bool bfloat16_only;
  const char* numeric_class;
};

constexpr std::int64_t split_keys = 1024;
/// With more key/value heads in a batch than these, two threads have enough to share without parts.
constexpr std::int64_t split_heads_max = 16;

constexpr auto variant_rows = std::to_array<Row>({
    {"eigen_blocks",
     "widest",
     any_processor,
     "eigen",
     {nullptr, eigen_blocks, 32, 128, 0, 1},
     For::all,
     false,
     "eigen"},
    {"portable_rows2",
     "any",
     any_processor,
     "rows",
     {rows2_portable, nullptr, 1, 256, 0, 1},
     For::decode,
     false,
     "lanes4"},
#ifdef ADAPTIVE_KERNELS_X86
    {"avx2_rows2",
     "avx2",
     has_avx2,
     "rows",
     {rows2_avx2, nullptr, 1, 256, 0, 1},
     For::decode,
     false,
     "lanes8"},
    {"avx2_panel6",
     "avx2",
     has_avx2,
     "panels",
     {nullptr, panel6_avx2, 16, 256, 0, 1},
     For::all,
     false,
     "panel8"},
    {"avx512_rows4",
     "avx512",
     has_avx512,
     "rows",
     {rows4_avx512, nullptr, 1, 256, 0, 1},
     For::decode,
     false,
     "lanes16"},
    {"avx512_rows4_threads2",
     "avx512",
     has_avx512,
     "rows",
     {rows4_avx512, nullptr, 1, 256, 0, 2},
     For::decode,
     false,
     "lanes16"},
    {"avx512_rows4_split_threads2",
     "avx512",
     has_avx512,
     "rows",
     {rows4_avx512, nullptr, 1, 256, split_keys, 2},
     For::decode,
     false,
     "lanes16_split"},
    {"avx512bf16_rows4",
     "avx512_bf16",
     has_avx512_bf16,
     "rows",
     {rows4_avx512_bf16, nullptr, 1, 256, 0, 1},
     For::decode,
     true,
     "pairs16"},
    {"avx512bf16_rows4_threads2",
     "avx512_bf16",
     has_avx512_bf16,
     "rows",
     {rows4_avx512_bf16, nullptr, 1, 256, 0, 2},
     For::decode,
     true,
     "pairs16"},
    {"avx512_panel12",
     "avx512",
     has_avx512,
     "panels",
     {nullptr, panel12_avx512, 16, 256, 0, 1},
     For::all,
     false,
     "panel16"},
    {"avx512_panel12_queries64",
     "avx512",
     has_avx512,
     "panels",
     {nullptr, panel12_avx512, 64, 256, 0, 1},
     For::mixed,
     false,
     "panel16"},
    {"avx512_panel12_threads2",
     "avx512",
     has_avx512,
     "panels",
     {nullptr, panel12_avx512, 16, 256, 0, 2},
     For::all,
     false,
     "panel16"},
    {"avx512_mixed12",
     "avx512",
     has_avx512,
     "mixed",
     {rows4_avx512, panel12_avx512, 64, 256, 0, 1},
     For::mixed,
     false,
     "mixed16"},
    {"avx512_mixed12_threads2",
     "avx512",
     has_avx512,
     "mixed",
     {rows4_avx512, panel12_avx512, 64, 256, 0, 2},
     For::mixed,
     false,
     "mixed16"},
#endif
});

bool supports(const Row& row, const Sizes& sizes) {
  if (row.bfloat16_only && sizes.type != Type::bfloat16) return false;
  if (row.batches == For::decode && sizes.tokens > 8 * sizes.sequences) return false;
  if (row.batches == For::mixed && sizes.tokens <= sizes.sequences) return false;
  if (row.how.split == 0) return true;
  return std::min(sizes.context, sizes.window == 0 ? sizes.context : sizes.window) > row.how.split &&
         sizes.sequences * sizes.kv_heads <= split_heads_max;
}

class CpuProblem final : public HostProblem<Data> {
 public:
  CpuProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : HostProblem(shape, seed, variants), workspace_(operands(), split_min()) {}

 private:
  void run(std::size_t variant) noexcept override { workspace_.run(operands(), variant_rows[variant].how); }

  std::int64_t split_min() const noexcept {
    for (std::size_t v = 0; v < variant_rows.size(); ++v)
      if (variant_rows[v].how.split != 0 && runs(v)) return variant_rows[v].how.split;
    return 0;
  }

  Workspace workspace_;
};

}  // namespace

std::vector<Variant> cpu_variants() {
  std::vector<Variant> variants;
  for (const Row& row : variant_rows) {
    Variant& variant = variants.emplace_back();
    variant.name = row.name;
    variant.parameters = {{"instructions", row.instructions}, {"method", row.method},
                          {"queries", row.how.queries},       {"keys", row.how.keys},
                          {"split", row.how.split},           {"threads", std::int64_t{row.how.threads}}};
    variant.numeric_class = row.numeric_class;
    variant.available = row.available;
    variant.supports = [&row](const Shape& shape) { return supports(row, Sizes(shape)); };
    if (row.how.split != 0)
      variant.memory = [&row](const Shape& shape) {
        const Sizes sizes(shape);
        return Workspace::part_bytes(sizes.tokens, sizes.q_heads, sizes.head_size, sizes.context,
                                     row.how.split);
      };
  }
  return variants;
}

std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants) {
  return std::make_unique<CpuProblem>(shape, seed, variants);
}

}  // namespace adaptive::kernels::ragged_paged_attention

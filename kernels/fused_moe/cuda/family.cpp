#include "kernels/fused_moe/cuda/family.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kernels/fused_moe/cuda/problem.hpp"
#include "kernels/fused_moe/cuda/shapes.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

namespace gg = grouped_gemm;

/// The pair of each variant; null for the default.
const std::vector<const Pair*>& pairs_of_variants() {
  static const std::vector<const Pair*> all = [] {
    std::vector<const Pair*> made = {nullptr};
    for (const Pair& pair : all_pairs) made.push_back(&pair);
    return made;
  }();
  return all;
}

/// The warps that multiply.
int warps_of(const Product& product) {
  const gg::Config& config = product.config();
  return product.is_wgmma() ? 4 * wgmma_groups(config) : mma_warps(config);
}

void add_parameters(Variant& variant, const Product& product, const std::string& of) {
  const gg::Config& config = product.config();
  variant.parameters.insert(variant.parameters.end(),
                            {{"kernel" + of, product.is_wgmma() ? "wgmma" : "mma"},
                             {"columns" + of, std::int64_t{config.columns}},
                             {"depth" + of, std::int64_t{config.depth}},
                             {"stages" + of, std::int64_t{config.stages}},
                             {"band" + of, std::int64_t{config.band}},
                             {"warps" + of, std::int64_t{warps_of(product)}},
                             {"split" + of, std::int64_t{config.split}},
                             {"shared_bytes" + of, std::int64_t{shared_bytes(config)}}});
}

Variant variant_of(const Pair* pair) {
  Variant variant;
  variant.name = pair == nullptr ? "plain_warp" : name_of(*pair);
  variant.numeric_class = pair == nullptr ? "plain_warp" : class_of(*pair);
  if (pair != nullptr) {
    variant.parameters = {{"rows", std::int64_t{pair->up.config().rows}},
                          {"activation", pair->fused ? "fused" : "apart"},
                          {"order", pair->up.is_wgmma() ? "sorted" : "gathered"},
                          {"sum", pair->sum == Sum::slots ? "slots" : "atomic"}};
    add_parameters(variant, pair->up, "_up");
    add_parameters(variant, pair->down, "_down");
  }
  variant.available = [pair] { return available(pair, gg::Capability::current()); };
  variant.supports = [pair](const Shape& shape) { return supports(pair, cuda_sizes(shape)); };
  variant.memory = [pair](const Shape& shape) { return scratch_bytes(pair, cuda_sizes(shape)); };
  return variant;
}

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (const Pair* pair : pairs_of_variants()) variants.push_back(variant_of(pair));
  return variants;
}

/// The average number of rows of a filled expert.
double rows_an_expert(const Sizes& sizes) {
  const double here = static_cast<double>(pairs_of(sizes)) / static_cast<double>(sizes.expert_parallel);
  return here / static_cast<double>(std::max<std::int64_t>(sizes.filled, 1));
}

// The variants that may win for such a shape (docs/benchmarks/fused_moe.md); trying the others would only
// cost time. The default is excluded, because it is too slow.
bool worth_trying(const Pair& pair, const Sizes& sizes, const gg::Capability& device) {
  if (!available(&pair, device) || !supports(&pair, sizes)) return false;
  const double rows = rows_an_expert(sizes);
  const int tile = pair.up.config().rows;
  if (tile < 128 && 2 * tile < rows) return false;  // would read the weights too often
  if (tile > 64 && 8 * rows < tile) return false;   // would multiply too many rows that there are not
  const bool wgmma = runs(cuda::Instructions::hopper, device.code);
  if (!pair.up.is_wgmma() && tile > 32) return !wgmma;
  const int split = std::max(pair.up.config().split, pair.down.config().split);
  if (pair.up.is_wgmma() && split > 1) return rows >= 64;
  return tile <= 128 || rows >= 32;
}

class FusedMoeFamily final : public cuda::Family {
 public:
  FusedMoeFamily() : Family("fused_moe", cuda_dimensions(), all_variants()) {}

  std::optional<std::size_t> parse(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>&) const override {
    return find_variant(name);
  }

  std::vector<std::size_t> candidates(const Shape& shape) const override {
    std::vector<std::size_t> result;
    if (dense_gemm::Device::current() == nullptr || why_invalid(shape)) return result;
    const gg::Capability device = gg::Capability::current();
    const Sizes sizes = cuda_sizes(shape);
    const std::vector<const Pair*>& all = pairs_of_variants();
    for (std::size_t i = 1; i < all.size(); ++i)
      if (worth_trying(*all[i], sizes, device)) result.push_back(i);
    // Best guess first: tiles whose height is nearest to the number of rows of an expert, then the widest.
    const auto distance = [&](std::size_t i) {
      const gg::Config& config = all[i]->up.config();
      const double rows = std::clamp(rows_an_expert(sizes), 16.0, 128.0);
      return std::abs(std::log2(config.rows / rows)) - std::log2(config.columns) / 8;
    };
    std::stable_sort(result.begin(), result.end(),
                     [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
    if (result.empty()) result.push_back(0);
    return result;
  }

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return why_no_cuda_layer(shape);
  }

  std::unique_ptr<cuda::Problem> make_problem(const Shape& shape,
                                              cuda::ProblemOptions options) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    if (options.operands_of != nullptr)
      throw std::invalid_argument(name() + ": problems of this family cannot share operands");
    return std::make_unique<FusedMoeOnCuda>(shape, options, *this, pairs_of_variants());
  }

  void release(cuda::Stream stream) const override {
    if (dense_gemm::Device* device = dense_gemm::Device::current()) device->release(stream);
  }

  std::vector<Shape> test_shapes() const override { return cuda_test_shapes(); }
  std::vector<Shape> bench_shapes() const override { return cuda_bench_shapes(); }

  std::vector<std::pair<std::string, std::string>> libraries() const override {
    return {{"cublaslt", dense_gemm::cublaslt_version()}};
  }
};

}  // namespace

const cuda::Family& cuda_family() {
  static const cuda::Family& family = *new FusedMoeFamily;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels::fused_moe

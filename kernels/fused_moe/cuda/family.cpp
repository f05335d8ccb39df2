#include "kernels/fused_moe/cuda/family.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kernels/fused_moe/cuda/problem.hpp"
#include "kernels/fused_moe/cuda/shapes.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

namespace gg = grouped_gemm;

/// What each variant is; the first one is the default.
const std::vector<Choice>& choices_of_variants() {
  static const std::vector<Choice> all = [] {
    std::vector<Choice> made = {{}};
    for (const Pair& pair : all_pairs) made.push_back({.pair = &pair});
    for (const levels::Pair& pair : levels::all_pairs) made.push_back({.levels = &pair});
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

void add_parameters(Variant& variant, const levels::Pair& pair, std::size_t index, const std::string& of) {
  std::int64_t columns = 0, stages = 0, warps = levels::stream_threads / 32, band = 1;
  if (pair.is_wgmma) {
    const levels::WgmmaConfig& config = levels::wgmma_configs[index];
    columns = config.columns, stages = config.stages, warps = config.rows / 16, band = config.band;
  } else {
    const levels::StreamConfig& config = levels::stream_configs[index];
    columns = config.columns, stages = stream_stages(config, levels::levels_lines);
  }
  variant.parameters.insert(variant.parameters.end(), {{"kernel" + of, pair.is_wgmma ? "wgmma" : "mma"},
                                                       {"columns" + of, columns},
                                                       {"depth" + of, std::int64_t{levels::stage_depth}},
                                                       {"stages" + of, stages},
                                                       {"band" + of, band},
                                                       {"warps" + of, warps},
                                                       {"split" + of, std::int64_t{1}}});
}

void describe(Variant& variant, const Pair& pair) {
  variant.name = name_of(pair);
  variant.numeric_class = class_of(pair);
  variant.parameters = {{"rows", std::int64_t{pair.up.config().rows}},
                        {"activation", pair.fused ? "fused" : "apart"},
                        {"order", pair.up.is_wgmma() ? "sorted" : "gathered"},
                        {"sum", pair.sum == Sum::slots ? "slots" : "atomic"}};
  add_parameters(variant, pair.up, "_up");
  add_parameters(variant, pair.down, "_down");
}

void describe(Variant& variant, const levels::Pair& pair) {
  variant.name = name_of(pair);
  variant.numeric_class = class_of(pair);
  variant.parameters = {{"rows", std::int64_t{pair.rows()}},
                        {"activation", "fused"},
                        {"order", pair.is_wgmma ? "sorted" : "gathered"},
                        {"sum", pair.sum == Sum::slots ? "slots" : "atomic"}};
  add_parameters(variant, pair, pair.up, "_up");
  add_parameters(variant, pair, pair.down, "_down");
}

Variant variant_of(const Choice& choice) {
  Variant variant;
  variant.name = variant.numeric_class = "plain_warp";
  if (choice.pair != nullptr) describe(variant, *choice.pair);
  if (choice.levels != nullptr) describe(variant, *choice.levels);
  variant.available = [choice] { return available(choice, gg::Capability::current()); };
  variant.supports = [choice](const Shape& shape) { return supports(choice, DeviceSizes(shape)); };
  variant.memory = [choice](const Shape& shape) { return scratch_bytes(choice, DeviceSizes(shape)); };
  return variant;
}

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (const Choice& choice : choices_of_variants()) variants.push_back(variant_of(choice));
  return variants;
}

/// The average number of rows of a filled expert.
double rows_an_expert(const DeviceSizes& sizes) {
  const double here = static_cast<double>(sizes.pairs()) / static_cast<double>(sizes.expert_parallel);
  return here / static_cast<double>(std::max<std::int64_t>(sizes.filled, 1));
}

// The variants that may win for such a shape (docs/benchmarks/fused_moe.md); trying the others would only
// cost time. The default is excluded, because it is too slow.
bool worth_trying(const Pair& pair, const DeviceSizes& sizes, const gg::Capability& device) {
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

bool worth_trying(const levels::Pair& pair, const DeviceSizes& sizes) {
  const double rows = rows_an_expert(sizes);
  const int tile = pair.rows();
  if (2 * tile < rows && tile < 128) {
    // Only float8 has tiles of more than 64 rows.
    return tile == 64 && sizes.weights != DeviceType::fp8_w8a8;
  }
  return tile <= 64 || 8 * rows >= tile;
}

bool worth_trying(const Choice& choice, const DeviceSizes& sizes, const gg::Capability& device) {
  if (choice.plain() || !available(choice, device) || !supports(choice, sizes)) return false;
  return choice.pair != nullptr ? worth_trying(*choice.pair, sizes, device)
                                : worth_trying(*choice.levels, sizes);
}

/// Height and width of the first product's tile.
std::pair<int, int> tile_of(const Choice& choice) {
  if (choice.pair != nullptr) return {choice.pair->up.config().rows, choice.pair->up.config().columns};
  const levels::Pair& pair = *choice.levels;
  return {pair.rows(),
          pair.is_wgmma ? levels::wgmma_configs[pair.up].columns : levels::stream_configs[pair.up].columns};
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
    const DeviceSizes sizes(shape);
    const std::vector<Choice>& all = choices_of_variants();
    for (std::size_t i = 1; i < all.size(); ++i)
      if (worth_trying(all[i], sizes, device)) result.push_back(i);
    // Best guess first: tiles whose height is nearest to the number of rows of an expert, then the widest.
    const auto distance = [&](std::size_t i) {
      const auto [height, width] = tile_of(all[i]);
      const double rows = std::clamp(rows_an_expert(sizes), 16.0, 128.0);
      return std::abs(std::log2(height / rows)) - std::log2(width) / 8;
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
    return std::make_unique<FusedMoeOnCuda>(shape, options, *this, choices_of_variants());
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

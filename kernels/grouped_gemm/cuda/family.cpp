#include "kernels/grouped_gemm/cuda/family.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kernels/grouped_gemm/cuda/problem.hpp"
#include "kernels/grouped_gemm/cuda/shapes.hpp"
#include "kernels/grouped_gemm/routing.hpp"
#include "kernels/grouped_gemm/shape.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

std::vector<Method> all_methods() {
  std::vector<Method> methods = {{Method::Kind::plain, 0}};
  for (std::size_t i = 0; i < mma_configs.size(); ++i) methods.push_back({Method::Kind::mma, i});
  for (std::size_t i = 0; i < wgmma_configs.size(); ++i) methods.push_back({Method::Kind::wgmma, i});
  methods.push_back({Method::Kind::cublas_grouped, 0});
  methods.push_back({Method::Kind::cublaslt_loop, 0});
  return methods;
}

const std::vector<Method>& methods() {
  static const std::vector<Method> all = all_methods();
  return all;
}

const Config* config_if_tiled(const Method& method) {
  if (method.kind == Method::Kind::mma) return &mma_configs[method.index];
  if (method.kind == Method::Kind::wgmma) return &wgmma_configs[method.index];
  return nullptr;
}

std::string name_of(const Method& method) {
  if (const Config* config = config_if_tiled(method)) return name_of(*config);
  if (method.kind == Method::Kind::cublas_grouped) return "cublas_grouped";
  return method.kind == Method::Kind::cublaslt_loop ? "cublaslt_loop" : "plain_tile32";
}

Variant variant_of(const Method& method) {
  Variant variant;
  variant.name = name_of(method);
  variant.numeric_class = variant.name;
  if (const Config* config = config_if_tiled(method)) {
    variant.parameters = {{"rows", std::int64_t{config->rows}},
                          {"columns", std::int64_t{config->columns}},
                          {"depth", std::int64_t{config->depth}},
                          {"stages", std::int64_t{config->stages}},
                          {"split", std::int64_t{config->split}},
                          {"blocks", std::int64_t{config->blocks}},
                          {"band", std::int64_t{config->band}},
                          {"threads", std::int64_t{threads_of(*config)}},
                          {"shared_bytes", std::int64_t{shared_bytes(*config)}}};
    variant.numeric_class = class_of(*config);
  } else if (method.kind != Method::Kind::plain) {
    variant.parameters = {{"routing", "host"}};
  }
  variant.available = [method] { return available(method, Capability::current()); };
  variant.supports = [method](const Shape& shape) { return supports(method, CudaSizes(shape)); };
  return variant;
}

double rows_an_expert(const CudaSizes& sizes) {
  return sizes.filled == 0 ? 1 : static_cast<double>(sizes.tokens) / static_cast<double>(sizes.filled);
}

// The variants that may win for such a shape (docs/benchmarks/grouped_gemm.md); trying the others would only
// cost time. Variants that need the routing on the host are excluded, because the family promises to work
// without it; so is the default, which is too slow.
bool worth_trying(const Method& method, const CudaSizes& sizes, const Capability& device) {
  const Config* config = config_if_tiled(method);
  if (config == nullptr || !available(method, device) || !supports(method, sizes)) return false;
  const double rows = rows_an_expert(sizes);
  if (config->rows < 128 && 4 * config->rows < rows) return false;  // would read the weights too often
  if (config->kernel == Config::Kernel::mma) {
    const bool wgmma = runs(cuda::Instructions::hopper, device.code);
    // Gathered rows: mma gathers while it loads; wgmma needs sorted rows.
    return config->rows <= 32 || !wgmma || sizes.gathered;
  }
  if (config->split > 1) return rows >= 64;
  return config->rows <= 128 || rows >= 32;
}

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (const Method& method : methods()) variants.push_back(variant_of(method));
  return variants;
}

class GroupedGemmFamily final : public cuda::Family {
 public:
  GroupedGemmFamily()
      : Family("grouped_gemm",
               {{"tokens", Dimension::Kind::size},
                {"n", Dimension::Kind::size},
                {"k", Dimension::Kind::size},
                {"experts", Dimension::Kind::size},
                {"filled", Dimension::Kind::size},
                {"row_tiles", Dimension::Kind::size},
                {"dtype", Dimension::Kind::label, {"bfloat16", "float16"}},
                {"order", Dimension::Kind::label, {"sorted", "gathered"}}},
               all_variants()) {}

  std::optional<std::size_t> parse(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>&) const override {
    return find_variant(name);
  }

  std::vector<std::size_t> candidates(const Shape& shape) const override {
    std::vector<std::size_t> result;
    if (dense_gemm::Device::current() == nullptr || why_invalid(shape)) return result;
    const Capability device = Capability::current();
    const CudaSizes sizes(shape);
    for (std::size_t i = 0; i < methods().size(); ++i)
      if (worth_trying(methods()[i], sizes, device)) result.push_back(i);
    // Best guess first: tiles whose height is nearest to the number of rows of an expert, then the widest.
    const auto distance = [&](std::size_t i) {
      const Config* config = config_if_tiled(methods()[i]);
      if (config == nullptr) return 100.0;
      const double rows = std::clamp(rows_an_expert(sizes), 16.0, 128.0);
      return std::abs(std::log2(config->rows / rows)) - std::log2(config->columns) / 8;
    };
    std::stable_sort(result.begin(), result.end(),
                     [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
    if (result.empty()) result.push_back(0);
    return result;
  }

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    if (auto why = why_no_product(dimensions(), shape, 36)) return why;
    const CudaSizes sizes(shape);
    constexpr std::int64_t most = std::int64_t{1} << 30;  // indices along one dimension are ints
    for (std::size_t i = 0; i < 6; ++i)
      if (shape[i] > most) return dimensions()[i].name + " is above 2^30";
    const std::int64_t least_tiles = least_row_tiles(sizes.tokens, sizes.filled);
    const std::int64_t most_tiles = most_row_tiles(sizes.tokens, sizes.filled);
    if (sizes.row_tiles < least_tiles || sizes.row_tiles > most_tiles)
      return "row_tiles is " + std::to_string(sizes.row_tiles) + "; it must be between " +
             std::to_string(least_tiles) + " and " + std::to_string(most_tiles) +
             " for these values of tokens and filled";
    return std::nullopt;
  }

  std::unique_ptr<cuda::Problem> make_problem(const Shape& shape,
                                              cuda::ProblemOptions options) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    return std::make_unique<GroupedGemmOnCuda>(shape, options, *this, methods());
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
  static const cuda::Family& family = *new GroupedGemmFamily;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels::grouped_gemm

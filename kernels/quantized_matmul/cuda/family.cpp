#include "kernels/quantized_matmul/cuda/family.hpp"

#include <algorithm>
#include <stdexcept>

#include "kernels/quantized_matmul/cuda/problem.hpp"
#include "kernels/quantized_matmul/cuda/shapes.hpp"

namespace adaptive::kernels::quantized_matmul {
namespace {

Variant variant_of(const Method& method) {
  Variant variant;
  variant.name = variant.numeric_class = name_of(method);
  switch (method.kind) {
    case Method::Kind::few: {
      const FewConfig& config = few_configs[method.index];
      variant.parameters = {{"rows", std::int64_t{config.rows}}, {"warps", std::int64_t{config.warps}}};
      break;
    }
    case Method::Kind::stream: {
      const StreamConfig& config = stream_configs[method.index];
      variant.parameters = {{"tile", std::int64_t{config.tokens}},
                            {"rows", std::int64_t{stream_rows}},
                            {"depth", std::int64_t{wgmma_line}},
                            {"stages", std::int64_t{config.stages}},
                            {"warps", std::int64_t{4}},
                            {"split", std::int64_t{config.split}}};
      break;
    }
    case Method::Kind::split: {
      const SplitConfig& config = split_configs[method.index];
      variant.parameters = {{"tile", std::int64_t{split_tokens}}, {"rows", std::int64_t{config.columns}},
                            {"depth", std::int64_t{wgmma_line}},  {"stages", std::int64_t{config.stages}},
                            {"warps", std::int64_t{4}},           {"split", std::int64_t{config.split}}};
      break;
    }
    case Method::Kind::wgmma: {
      const WgmmaConfig& config = wgmma_configs[method.index];
      variant.parameters = {
          {"tile", std::int64_t{config.tokens}},        {"rows", std::int64_t{config.columns}},
          {"depth", std::int64_t{wgmma_line}},          {"stages", std::int64_t{config.stages}},
          {"warps", std::int64_t{4 * config.groups()}}, {"cluster", std::int64_t{config.cluster}},
          {"band", std::int64_t{config.band}}};
      break;
    }
    case Method::Kind::convert: {
      const ConvertConfig& config = convert_configs[method.index];
      variant.parameters = {
          {"tile", std::int64_t{config.tokens}},        {"rows", std::int64_t{config.columns}},
          {"depth", std::int64_t{wgmma_line}},          {"stages", std::int64_t{config.stages}},
          {"warps", std::int64_t{4 * config.groups()}}, {"split", std::int64_t{config.split}}};
      break;
    }
    case Method::Kind::library:
      variant.parameters = parameters_of(method.library);
      break;
    default:
      break;
  }
  variant.available = [method] { return quantized_matmul::available(method); };
  variant.supports = [method](const Shape& shape) { return quantized_matmul::supports(method, shape); };
  return variant;
}

std::vector<Variant> all_own_variants() {
  std::vector<Variant> variants;
  for (const Method& method : own_methods()) variants.push_back(variant_of(method));
  return variants;
}

bool worth_trying(const Method& method, std::int64_t tokens) {
  switch (method.kind) {
    case Method::Kind::few:
      return true;
    case Method::Kind::stream: {
      // The tile that holds all tokens, or the largest.
      const int tile = stream_configs[method.index].tokens;
      return (tile == 8 || tile < 2 * tokens) && (tile == stream_tokens_max || tile >= tokens);
    }
    case Method::Kind::split:
      return tokens > 32;
    case Method::Kind::convert:
    case Method::Kind::dequantise:
      return tokens > 8;
    case Method::Kind::wgmma:
      return tokens > 16;
    default:
      return false;
  }
}

class QuantizedMatmulOnCuda final : public cuda::Family {
 public:
  QuantizedMatmulOnCuda() : Family("quantized_matmul", cuda_dimensions(), all_own_variants()) {}

  std::optional<std::size_t> parse(
      std::string_view name,
      const std::vector<std::pair<std::string, Parameter>>& parameters) const override {
    const auto method = parse_method(name, parameters);
    if (!method) return std::nullopt;
    if (method->kind != Method::Kind::library) return find_variant(name);
    return find_or_add(variant_of(*method));
  }

  std::vector<std::size_t> candidates(const Shape& shape) const override {
    std::vector<std::size_t> result;
    if (dense_gemm::Device::current() == nullptr || why_invalid(shape)) return result;
    const CudaSizes sizes(shape);
    for (std::size_t i = 0; i < own_methods().size(); ++i) {
      const Method& method = own_methods()[i];
      if (worth_trying(method, sizes.tokens) && runs(i, shape)) result.push_back(i);
    }
    if (sizes.tokens >= many_tokens) std::reverse(result.begin(), result.end());
    for (const bool fast : {false, true}) {
      if (!library_multiplies(sizes.types, sizes.scales, fast)) continue;
      const auto product = known_product(operands_of(sizes), fast);
      if (product == nullptr) continue;
      for (const dense_gemm::CublasLtConfig& algorithm : product->candidates()) {
        const Method method = {.kind = Method::Kind::library, .library = {algorithm, fast}};
        if (!quantized_matmul::supports(method, shape)) continue;
        if (const auto index = find_or_add(variant_of(method))) result.push_back(*index);
      }
    }
    // The default is far too slow to try if anything else runs.
    if (result.empty()) result.push_back(0);
    return result;
  }

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return why_no_cuda_product(shape);
  }

  std::unique_ptr<cuda::Problem> make_problem(const Shape& shape,
                                              cuda::ProblemOptions options) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    if (options.operands_of != nullptr)
      throw std::invalid_argument(name() + ": its problems do not share operands");
    return std::make_unique<QuantizedOnCuda>(shape, options, *this);
  }

  void release(cuda::Stream stream) const override {
    if (dense_gemm::Device* device = dense_gemm::Device::current()) device->release(stream);
  }

  std::vector<Shape> test_shapes() const override { return cuda_test_shapes(); }
  std::vector<Shape> bench_shapes() const override { return cuda_bench_shapes(); }

  std::vector<std::pair<std::string, std::string>> libraries() const override {
    return {{"cublaslt", dense_gemm::cublaslt_version()}};
  }

 private:
  static constexpr std::int64_t many_tokens = 1024;  ///< the largest tiles are the best guess
};

}  // namespace

const cuda::Family& cuda_family() {
  static const cuda::Family& family = *new QuantizedMatmulOnCuda;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels::quantized_matmul

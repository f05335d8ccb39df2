#include "kernels/dense_gemm/cuda/family.hpp"

#include <stdexcept>

#include "kernels/dense_gemm/cuda/problem.hpp"
#include "kernels/dense_gemm/shapes.hpp"

namespace adaptive::kernels::dense_gemm {
namespace {

constexpr const char* plain_name = "plain_tile32";

bool has_device() {
  return Device::current() != nullptr;
}

Variant plain_variant() {
  return {.name = plain_name,
          .parameters = {{"tile", std::int64_t{32}}},
          .numeric_class = "plain",
          .available = has_device,
          .supports = [](const Shape&) { return true; }};
}

Variant skinny_variant(std::size_t index) {
  const SkinnyConfig& config = skinny_configs[index];
  return {.name = name_of(config),
          .parameters = {{"rows", std::int64_t{config.rows}},
                         {"warps", std::int64_t{config.warps}},
                         {"split", std::int64_t{config.split}}},
          .numeric_class = class_of(config),
          .available =
              [index] {
                const Device* device = Device::current();
                return device != nullptr && runs(instructions_of(skinny_configs[index]), device->code());
              },
          .supports = [index](const Shape& shape) { return skinny_supports(index, Sizes(shape)); }};
}

Variant cublaslt_variant(const CublasLtConfig& config) {
  return {.name = name_of(config),
          .parameters = parameters_of(config),
          // The library guarantees the same bits for the same algorithm on the same device, but nothing for
          // two algorithms.
          .numeric_class = name_of(config),
          .available = has_device,
          .supports = [config](const Shape& shape) {
            try {
              Device* device = Device::current();
              return device != nullptr && device->plan(shape)->find(config).has_value();
            } catch (const std::runtime_error&) {
              return false;
            }
          }};
}

std::vector<Variant> own_variants() {
  std::vector<Variant> variants = {plain_variant()};
  for (std::size_t i = 0; i < skinny_configs.size(); ++i) variants.push_back(skinny_variant(i));
  return variants;
}

class DenseGemmFamily final : public cuda::Family {
 public:
  DenseGemmFamily()
      : Family("dense_gemm", dimensions_with({"bfloat16", "float16", "float8_e4m3"}), own_variants()) {}

  std::optional<std::size_t> parse(
      std::string_view name,
      const std::vector<std::pair<std::string, Parameter>>& parameters) const override {
    const auto method = parse_method(name, parameters);
    if (!method) return std::nullopt;
    if (method->kind != Method::Kind::cublaslt) return find_variant(name);
    return find_or_add(cublaslt_variant(method->config));
  }

  std::vector<std::size_t> candidates(const Shape& shape) const override {
    std::vector<std::size_t> result;
    Device* device = Device::current();
    if (device == nullptr || why_invalid(shape)) return result;
    try {
      for (const CublasLtConfig& config : device->plan(shape)->candidates())
        if (const auto index = find_or_add(cublaslt_variant(config))) result.push_back(*index);
    } catch (const std::runtime_error&) {
      // The library cannot describe this shape; the kernels of this family remain.
    }
    // The variants "skinny" have not won any measured shape (docs/benchmarks/dense_gemm.md), so trying them
    // would only cost time.
    for (std::size_t i = 0; i < skinny_configs.size(); ++i)
      if (skinny_configs[i].kernel == SkinnyConfig::Kernel::gemv && runs(1 + i, shape))
        result.push_back(1 + i);
    // The default is far too slow to try if anything else runs.
    if (result.empty()) result.push_back(0);
    return result;
  }

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return why_no_product(dimensions(), shape, 34);
  }

  std::unique_ptr<cuda::Problem> make_problem(const Shape& shape,
                                              cuda::ProblemOptions options) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    return std::make_unique<DenseGemm>(shape, options, *this);
  }

  void release(cuda::Stream stream) const override {
    if (Device* device = Device::current()) device->release(stream);
  }

  std::vector<Shape> test_shapes() const override { return dense_gemm::test_shapes(); }
  std::vector<Shape> bench_shapes() const override { return dense_gemm::bench_shapes(); }

  std::vector<std::pair<std::string, std::string>> libraries() const override {
    return {{"cublaslt", cublaslt_version()}};
  }
};

}  // namespace

std::optional<Method> parse_method(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>& parameters) {
  if (name == plain_name) return Method{};
  for (std::size_t i = 0; i < skinny_configs.size(); ++i)
    if (name == name_of(skinny_configs[i])) return Method{.kind = Method::Kind::skinny, .skinny = i};
  if (const auto config = parse_config(name, parameters))
    return Method{.kind = Method::Kind::cublaslt, .config = *config};
  return std::nullopt;
}

const cuda::Family& family() {
  static const cuda::Family& family = *new DenseGemmFamily;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels::dense_gemm

#include "kernels/mixed_bit_matmul/cuda/family.hpp"

#include <algorithm>
#include <stdexcept>

#include "kernels/families.hpp"
#include "kernels/mixed_bit_matmul/cuda/problem.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

const std::vector<Method>& methods() {
  static const std::vector<Method> all = [] {
    std::vector<Method> made = {{Method::Kind::plain, 0}};
    for (std::size_t i = 0; i < decode_configs.size(); ++i) made.push_back({Method::Kind::decode, i});
    for (std::size_t i = 0; i < mma_configs.size(); ++i) made.push_back({Method::Kind::mma, i});
    for (std::size_t i = 0; i < split_configs.size(); ++i) made.push_back({Method::Kind::split, i});
    for (std::size_t i = 0; i < balanced_configs.size(); ++i) made.push_back({Method::Kind::balanced, i});
    for (std::size_t i = 0; i < wgmma_configs.size(); ++i) made.push_back({Method::Kind::wgmma, i});
    made.push_back({Method::Kind::dequantise, 0});
    return made;
  }();
  return all;
}

cuda::LoadedCode current_code() {
  const dense_gemm::Device* device = dense_gemm::Device::current();
  return device == nullptr ? cuda::LoadedCode{} : device->code();
}

Variant variant_of(const Method& method) {
  Variant variant;
  switch (method.kind) {
    case Method::Kind::plain:
      variant.name = variant.numeric_class = "plain_warp";
      break;
    case Method::Kind::decode: {
      const DecodeConfig& config = decode_configs[method.index];
      variant.name = name_of(config);
      variant.parameters = {{"parts", std::int64_t{config.parts}}, {"pairs", std::int64_t{config.pairs}}};
      variant.numeric_class = class_of(config);
      break;
    }
    case Method::Kind::mma: {
      const MmaConfig& config = mma_configs[method.index];
      variant.name = name_of(config);
      variant.parameters = {{"tokens", std::int64_t{config.tokens}},
                            {"parts", std::int64_t{config.parts}},
                            {"blocks", std::int64_t{config.blocks}}};
      variant.numeric_class = class_of(config);
      break;
    }
    case Method::Kind::split: {
      const SplitConfig& config = split_configs[method.index];
      const SplitTile& tile = split_tiles[config.tile];
      variant.name = name_of(config);
      variant.parameters = {{"rows", std::int64_t{tile.rows}},
                            {"tokens", std::int64_t{tile.tokens}},
                            {"parts", std::int64_t{config.parts}}};
      variant.numeric_class = class_of(config);
      break;
    }
    case Method::Kind::balanced: {
      const BalancedConfig& config = balanced_configs[method.index];
      variant.name = name_of(config);
      variant.parameters = {{"rows", std::int64_t{config.rows}}, {"tokens", std::int64_t{config.tokens}}};
      variant.numeric_class = class_of(config);
      break;
    }
    case Method::Kind::wgmma: {
      const WgmmaConfig& config = wgmma_configs[method.index];
      variant.name = name_of(config);
      variant.parameters = {{"rows", std::int64_t{config.rows}}, {"tokens", std::int64_t{config.tokens}}};
      variant.numeric_class = "wgmma";
      break;
    }
    case Method::Kind::dequantise:
      variant.name = variant.numeric_class = "dequantise_cublaslt";
      break;
  }
  variant.available = [method] { return mixed_bit_matmul::available(method, current_code()); };
  variant.supports = [method](const Shape& shape) { return mixed_bit_matmul::supports(method, shape); };
  return variant;
}

/// Whether a split variant may be the best for more than 8 tokens: its tile is the smallest that holds all of
/// them, or else the largest, and the blocks of its clusters all run at about the same time.
bool promising(const SplitConfig& config, const Sizes& sizes) {
  const SplitTile& tile = split_tiles[static_cast<std::size_t>(config.tile)];
  constexpr std::int64_t smallest = 16, largest = 128;
  if (tile.tokens > smallest && tile.tokens >= 2 * sizes.tokens) return false;
  if (tile.tokens < largest && tile.tokens < sizes.tokens) return false;
  const std::int64_t tiles =
      (sizes.out_features + tile.rows - 1) / tile.rows * ((sizes.tokens + tile.tokens - 1) / tile.tokens);
  const std::int64_t blocks_max = tile.tokens < largest ? 256 : 600;
  return config.parts <= 1 || tiles * config.parts <= blocks_max;
}

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (const Method& method : methods()) variants.push_back(variant_of(method));
  return variants;
}

class MixedBitFamily final : public cuda::Family {
 public:
  MixedBitFamily()
      : Family("mixed_bit_matmul",
               {{"tokens", Dimension::Kind::size},
                {"out_features", Dimension::Kind::size},
                {"in_features", Dimension::Kind::size},
                {"bits", Dimension::Kind::label_set, {"2", "3", "4", "8"}},
                {"dtype", Dimension::Kind::label, {"bfloat16", "float16"}}},
               all_variants()) {}

  std::optional<std::size_t> parse(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>&) const override {
    return find_variant(name);
  }

  std::vector<std::size_t> candidates(const Shape& shape) const override {
    std::vector<std::size_t> result;
    if (current_code().major == 0 || why_invalid(shape)) return result;
    const std::int64_t tokens = Sizes(shape).tokens;
    for (std::size_t i = 0; i < methods().size(); ++i) {
      const Method& method = methods()[i];
      if (!runs(i, shape) || method.kind == Method::Kind::plain) continue;
      if (method.kind == Method::Kind::dequantise) {
        if (tokens >= 32) result.push_back(i);
        continue;
      }
      if (method.kind == Method::Kind::wgmma) {
        if (tokens > 16) result.push_back(i);
        continue;
      }
      if (method.kind == Method::Kind::balanced) {
        // The smallest tiles that hold all tokens, and the next larger and smaller ones.
        const std::int64_t tile = balanced_configs[method.index].tokens;
        if (tokens > 8 && (tile <= 16 || tile < 4 * tokens) && tokens <= 4 * tile) result.push_back(i);
        continue;
      }
      if (method.kind == Method::Kind::decode) {
        if (tokens <= 2 * decode_tokens) result.push_back(i);
        continue;
      }
      if (method.kind == Method::Kind::split) {
        if (tokens > 8 && tokens <= 1024 && promising(split_configs[method.index], Sizes(shape)))
          result.push_back(i);
        continue;
      }
      // The smallest tile that holds all tokens, and the next smaller one, which needs two passes.
      const std::int64_t tile = mma_configs[method.index].tokens;
      const bool larger_than_needed = tile > 8 && tile / 2 >= tokens;
      if (!larger_than_needed && tokens <= 2 * tile) result.push_back(i);
    }
    if (tokens >= 256) std::reverse(result.begin(), result.end());
    if (result.empty()) result.push_back(0);
    return result;
  }

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    if (auto why = why_out_of_range(dimensions(), shape)) return why;
    const Shape shared(shape.begin(), shape.end() - 1);
    if (auto why = mixed_bit_matmul_family().why_invalid(shared)) return why;
    constexpr std::int64_t most = std::int64_t{1} << 30;  // indices along one dimension are ints
    for (std::size_t i = 0; i < 3; ++i)
      if (shape[i] > most) return dimensions()[i].name + " is above 2^30";
    return std::nullopt;
  }

  std::unique_ptr<cuda::Problem> make_problem(const Shape& shape,
                                              cuda::ProblemOptions options) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    return std::make_unique<MixedBitOnCuda>(shape, options, *this, methods());
  }

  void release(cuda::Stream stream) const override {
    if (dense_gemm::Device* device = dense_gemm::Device::current()) device->release(stream);
  }

  // Bit masks of widths: 1 = width 2, 2 = width 3, 4 = width 4, 8 = width 8. The last value is the type: 0 =
  // bfloat16, 1 = float16.
  std::vector<Shape> test_shapes() const override {
    return {{1, 1, 1, 1, 0},      {1, 16, 64, 4, 1},     {1, 17, 63, 2, 0},    {1, 130, 129, 15, 1},
            {2, 31, 65, 8, 0},    {3, 48, 200, 5, 1},    {4, 97, 131, 3, 0},   {5, 1, 257, 4, 1},
            {7, 113, 64, 12, 0},  {8, 64, 320, 6, 1},    {9, 33, 127, 10, 0},  {12, 160, 513, 7, 1},
            {13, 145, 77, 15, 0}, {17, 129, 300, 14, 1}, {31, 67, 259, 9, 0},  {64, 128, 256, 4, 1},
            {0, 40, 100, 15, 0},  {2, 259, 64, 1, 1},    {1, 200, 1, 15, 0},   {130, 20, 70, 2, 1},
            {1, 64, 4096, 8, 0},  {65, 40, 1100, 15, 0}, {300, 72, 200, 6, 0}, {1100, 24, 130, 15, 1}};
  }

  std::vector<Shape> bench_shapes() const override {
    std::vector<Shape> shapes;
    for (const std::int64_t tokens : {1, 16, 64, 256, 1024, 4096})
      for (const std::int64_t bits : {1, 2, 4, 8, 5}) shapes.push_back({tokens, 8192, 8192, bits, 0});
    for (const std::int64_t tokens : {1, 4, 8, 32, 128, 512}) {
      shapes.push_back({tokens, 4096, 4096, 4, 0});
      shapes.push_back({tokens, 28672, 4096, 4, 0});
    }
    return shapes;
  }

  std::vector<std::pair<std::string, std::string>> libraries() const override {
    return {{"cublaslt", dense_gemm::cublaslt_version()}};
  }
};

}  // namespace

const cuda::Family& cuda_family() {
  static const cuda::Family& family = *new MixedBitFamily;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels::mixed_bit_matmul

#include "kernels/quantized_matmul/cpu/problem.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/common/buffer.hpp"
#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/common/cpu/host_problem.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/quantized_matmul/cpu/activations.hpp"
#include "kernels/quantized_matmul/cpu/kernels.hpp"
#include "kernels/quantized_matmul/problem.hpp"
#include "kernels/quantized_matmul/quantise.hpp"

namespace adaptive::kernels::quantized_matmul {
namespace {

/// When activations are quantised.
enum class Quantise {
  apart,  ///< all of them, before the first product
  fused,  ///< those of a tile, just before its first product
};

struct Row {
  const char* name;
  const char* instructions;
  bool (*available)() noexcept;
  bool integers;  ///< for int8_w8a8, or for the other types
  int tile;       ///< tokens computed at once
  int rows;       ///< rows of W computed at once
  Quantise quantise;
  int threads;
  const char* numeric_class;
  std::int64_t tokens_min, tokens_max;
  Kernel kernel;
};

constexpr std::int64_t any_tokens = std::int64_t{1} << 62;

// Tiles of one token read the weights again for each token. A larger tile is not offered for half of its
// tokens or fewer, because half of its work would be discarded.
constexpr auto tiled = std::to_array<Row>({
    {"portable_tile2", "any", any_processor, true, 2, 16, Quantise::apart, 1, "integers_portable", 1,
     any_tokens, integers2_portable},
#ifdef ADAPTIVE_KERNELS_X86
    {"avx2_tile1", "avx2", has_avx2, true, 1, 16, Quantise::apart, 1, "integers_fma", 1, 4, integers1_avx2},
    {"avx2_tile4", "avx2", has_avx2, true, 4, 16, Quantise::apart, 1, "integers_fma", 3, any_tokens,
     integers4_avx2},
    {"vnni_tile1", "avx512_vnni", has_avx512_vnni, true, 1, 64, Quantise::apart, 1, "integers_fma", 1, 4,
     integers1_vnni},
    {"vnni_tile1_threads2", "avx512_vnni", has_avx512_vnni, true, 1, 64, Quantise::apart, 2, "integers_fma",
     1, 4, integers1_vnni},
    {"vnni_tile4", "avx512_vnni", has_avx512_vnni, true, 4, 64, Quantise::apart, 1, "integers_fma", 3,
     any_tokens, integers4_vnni},
    {"vnni_tile8", "avx512_vnni", has_avx512_vnni, true, 8, 32, Quantise::apart, 1, "integers_fma", 5,
     any_tokens, integers8_vnni},
    {"vnni_tile8_fused", "avx512_vnni", has_avx512_vnni, true, 8, 32, Quantise::fused, 1, "integers_fma", 9,
     any_tokens, integers8_vnni},
    {"vnni_tile8_threads2", "avx512_vnni", has_avx512_vnni, true, 8, 32, Quantise::apart, 2, "integers_fma",
     5, any_tokens, integers8_vnni},
    {"avx512_tile1", "avx512", has_avx512, false, 1, 64, Quantise::apart, 1, "floats_fma", 1, 4,
     floats1_avx512},
    {"avx512_tile1_threads2", "avx512", has_avx512, false, 1, 64, Quantise::apart, 2, "floats_fma", 1, 4,
     floats1_avx512},
    {"avx512_tile4", "avx512", has_avx512, false, 4, 64, Quantise::apart, 1, "floats_fma", 3, any_tokens,
     floats4_avx512},
    {"avx512_tile12", "avx512", has_avx512, false, 12, 32, Quantise::apart, 1, "floats_fma", 7, any_tokens,
     floats12_avx512},
    {"avx512_tile12_fused", "avx512", has_avx512, false, 12, 32, Quantise::fused, 1, "floats_fma", 13,
     any_tokens, floats12_avx512},
    {"avx512_tile12_threads2", "avx512", has_avx512, false, 12, 32, Quantise::apart, 2, "floats_fma", 7,
     any_tokens, floats12_avx512},
#endif
});

constexpr const char* default_name = "eigen_dequantise";
constexpr std::int64_t tile_max = 12;
/// With eight pieces, a delayed thread delays the end by at most an eighth.
constexpr std::int64_t pieces = 8;
/// The weights that all tiles read before the next ones stay in the second-level cache.
constexpr std::int64_t panel_bytes = std::int64_t{1} << 18;

std::int64_t blocks_of(const Operands& operands) {
  return (operands.out_features + block_rows - 1) / block_rows;
}

/// A second copy of the weights.
std::uint64_t packed_bytes(const Shape& shape) {
  const Sizes sizes(shape);
  const auto up = [](std::int64_t size, std::int64_t to) { return (size + to - 1) / to * to; };
  return static_cast<std::uint64_t>(up(sizes.out_features, block_rows) *
                                    up(sizes.in_features, block_columns));
}

/// W and its scales in the order of kernels.hpp.
class PackedWeights {
 public:
  explicit PackedWeights(const Operands& o) {
    const std::int64_t blocks = blocks_of(o);
    const std::int64_t padded = blocks * block_rows;
    levels_ = Buffer<std::uint8_t>(static_cast<std::size_t>(padded * o.k_stride));
    scales_ = Buffer<float>(static_cast<std::size_t>(o.segments * padded));
    sums_ = Buffer<std::int32_t>(static_cast<std::size_t>(o.segments * padded));
    const std::int64_t together = o.types == Types::int8_w8a8 ? 4 : 1;  // columns of a row side by side
    const float factor = o.types == Types::fp8_w8a8 ? 256 : 1;
    for (std::int64_t row = 0; row < o.out_features; ++row) {
      std::uint8_t* const block = levels_.data() + row / block_rows * o.k_stride * block_rows;
      for (std::int64_t k = 0; k < o.k_stride; ++k)
        block[k / together * together * block_rows + row % block_rows * together + k % together] =
            o.w[row * o.k_stride + k];
      for (std::int64_t segment = 0; segment < o.segments; ++segment) {
        const auto at = static_cast<std::size_t>(segment * padded + row);
        scales_[at] = o.w_scales[segment * o.out_features + row] * factor;
        if (o.types == Types::int8_w8a8) sums_[at] = 128 * sum(o, row, segment);
      }
    }
  }

  Weights weights() const noexcept { return {levels_.data(), scales_.data(), sums_.data()}; }

 private:
  static std::int32_t sum(const Operands& o, std::int64_t row, std::int64_t segment) {
    std::int32_t result = 0;
    const std::uint8_t* levels = o.w + row * o.k_stride + segment * o.segment_columns;
    for (std::int64_t k = 0; k < o.segment_columns; ++k) result += static_cast<std::int8_t>(levels[k]);
    return result;
  }

  Buffer<std::uint8_t> levels_;
  Buffer<float> scales_;
  Buffer<std::int32_t> sums_;
};

class QuantizedProblem final : public HostProblem<Data> {
 public:
  QuantizedProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : HostProblem(shape, seed, variants),
        activations_(operands(), tile_max),
        weights_(operands()),
        scratch_(static_cast<std::size_t>(eigen_scratch)) {
    for (std::size_t byte = 0; byte < value_of_.size(); ++byte) {
      const auto level = static_cast<std::uint8_t>(byte);
      value_of_[byte] = operands().types == Types::fp8_w8a8
                            ? from_e4m3(level)
                            : static_cast<float>(static_cast<std::int8_t>(level));
    }
  }

 private:
  void run(std::size_t variant) noexcept override {
    activations_.begin();
    if (variant == 0)
      dequantise();
    else
      multiply(tiled[variant - 1]);
  }

  void dequantise() noexcept {
    const Operands& o = operands();
    for (std::int64_t token = 0; token < o.tokens; ++token) activations_.quantise(token, 1, true);
    const Tile all = activations_.tile(0, 1);
    eigen_dequantise(o, all.floats, all.scales, value_of_.data(), scratch_.data());
  }

  void multiply(const Row& row) noexcept {
    const Operands& o = operands();
    const std::int64_t blocks = blocks_of(o);
    if (row.quantise == Quantise::apart)
      for (std::int64_t token = 0; token < o.tokens; token += row.tile)
        activations_.quantise(token, row.tile, false);
    if (row.threads == 1) return multiply_blocks(row, {0, blocks});
    auto piece = [&](std::size_t index, int) {
      const auto at = static_cast<std::int64_t>(index);
      multiply_blocks(row, {blocks * at / pieces, blocks * (at + 1) / pieces});
    };
    run_on_two_threads(static_cast<std::size_t>(pieces), piece);
  }

  void multiply_blocks(const Row& row, Share share) noexcept {
    const Operands& o = operands();
    const std::int64_t panel = std::max<std::int64_t>(4, panel_bytes / (block_rows * o.k_stride));
    for (std::int64_t begin = share.begin; begin < share.end; begin += panel)
      for (std::int64_t token = 0; token < o.tokens; token += row.tile) {
        if (row.quantise == Quantise::fused && begin == share.begin)
          activations_.quantise(token, row.tile, false);
        row.kernel(o, weights_.weights(), activations_.tile(token, row.tile),
                   {begin, std::min(begin + panel, share.end)});
      }
  }

  Activations activations_;
  PackedWeights weights_;
  Buffer<float> scratch_;
  std::array<float, 256> value_of_{};
};

}  // namespace

std::vector<Variant> cpu_variants() {
  std::vector<Variant> variants;
  variants.push_back({.name = default_name,
                      .parameters = {{"instructions", "widest"},
                                     {"tile", std::int64_t{128}},
                                     {"rows", std::int64_t{128}},
                                     {"quantise", "apart"},
                                     {"threads", std::int64_t{1}}},
                      .numeric_class = "eigen",
                      .available = any_processor,
                      .supports = [](const Shape&) { return true; }});
  for (const Row& row : tiled)
    variants.push_back({.name = row.name,
                        .parameters = {{"instructions", row.instructions},
                                       {"tile", std::int64_t{row.tile}},
                                       {"rows", std::int64_t{row.rows}},
                                       {"quantise", row.quantise == Quantise::fused ? "fused" : "apart"},
                                       {"threads", std::int64_t{row.threads}}},
                        .numeric_class = row.numeric_class,
                        .available = row.available,
                        .supports =
                            [&row](const Shape& shape) {
                              const Sizes sizes(shape);
                              return row.integers == (sizes.types == Types::int8_w8a8) &&
                                     sizes.tokens >= row.tokens_min && sizes.tokens <= row.tokens_max;
                            },
                        .memory = packed_bytes});
  return variants;
}

std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants) {
  return std::make_unique<QuantizedProblem>(shape, seed, variants);
}

}  // namespace adaptive::kernels::quantized_matmul

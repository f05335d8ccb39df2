#include "kernels/mixed_bit_matmul/problem.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/common/random.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Rounds to nearest, ties to even.
float rounded(float value, Precision precision) {
  // Below 2^-14, float16 has steps of 2^-24.
  if (precision == Precision::float16 && std::abs(value) < 0x1p-14f)
    return std::nearbyint(value * 0x1p24f) * 0x1p-24f;
  if (precision == Precision::float32) return value;
  const int dropped = precision == Precision::bfloat16 ? 16 : 13;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  bits += (1u << (dropped - 1)) - 1 + (bits >> dropped & 1);
  return std::bit_cast<float>(bits >> dropped << dropped);
}

}  // namespace

Data::Data(const Shape& shape, std::uint64_t seed, Precision precision) : sizes_(shape), seed_(seed) {
  const std::int64_t groups = divide_up(sizes_.in_features, group_size);
  const std::int64_t blocks = divide_up(sizes_.out_features, block_rows);
  const std::int64_t x_stride = groups * group_size;

  std::vector<std::size_t> set;
  for (std::size_t w = 0; w < widths.size(); ++w)
    if ((sizes_.bits_mask >> w & 1) != 0) set.push_back(w);
  std::size_t word_count = 0;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::size_t w = set[index(b) % set.size()];
    blocks_by_width_[w].push_back(b);
    block_bits_.push_back(widths[w]);
    word_count += index(groups * 2 * widths[w] * block_rows);
  }

  x_ = Buffer<float>(index(sizes_.tokens * x_stride));
  y_ = Buffer<float>(index(sizes_.tokens * sizes_.out_features));
  scales_ = Buffer<float>(index(blocks * groups * 2 * block_rows));
  words_ = Buffer<std::uint32_t>(word_count);

  Random random(seed);
  for (std::int64_t t = 0; t < sizes_.tokens; ++t)
    for (std::int64_t c = 0; c < sizes_.in_features; ++c)
      x_[index(t * x_stride + c)] = rounded(random.uniform(-1, 1), precision);
  for (std::uint32_t& word : words_) word = static_cast<std::uint32_t>(random.next() >> 32);
  // Weights of about 1/sqrt(in_features), as in real layers, so that outputs are of order one.
  const float size = 1 / std::sqrt(static_cast<float>(std::max<std::int64_t>(1, sizes_.in_features)));
  const std::uint32_t* words = words_.data();
  for (std::int64_t b = 0; b < blocks; ++b) {
    const int bits = block_bits_[index(b)];
    const float levels = static_cast<float>((1 << bits) - 1);
    for (std::int64_t g = 0; g < groups; ++g) {
      float* scale = scales_.data() + (b * groups + g) * 2 * block_rows;
      for (std::int64_t r = 0; r < block_rows; ++r) {
        scale[r] = rounded(size * random.uniform(1, 3) / levels, precision);
        scale[block_rows + r] = rounded(-scale[r] * (levels / 2 + random.uniform(-0.5f, 0.5f)), precision);
      }
    }
    block_words_.push_back(words);
    words += groups * 2 * bits * block_rows;
  }

  operands_ = {.tokens = sizes_.tokens,
               .out_features = sizes_.out_features,
               .groups = groups,
               .block_count = blocks,
               .x = x_.data(),
               .y = y_.data(),
               .scales = scales_.data(),
               .words = block_words_.data(),
               .block_bits = block_bits_.data(),
               .lists = {},
               .list_count = 0};
  for (std::size_t w = 0; w < widths.size(); ++w) {
    const std::vector<std::int64_t>& list = blocks_by_width_[w];
    if (list.empty()) continue;
    operands_.lists[operands_.list_count++] = {widths[w], list.data(),
                                               static_cast<std::int64_t>(list.size())};
  }
}

std::string Data::description() const {
  std::string bits;
  for (std::size_t w = 0; w < widths.size(); ++w) {
    if ((sizes_.bits_mask >> w & 1) == 0) continue;
    if (!bits.empty()) bits += '+';
    bits += std::to_string(widths[w]);
  }
  return "y[" + std::to_string(sizes_.tokens) + ", " + std::to_string(sizes_.out_features) + "] = x[" +
         std::to_string(sizes_.tokens) + ", " + std::to_string(sizes_.in_features) + "] * W^T, W of " + bits +
         " bits in blocks of 16 rows, groups of 64 columns, float32, seed " + std::to_string(seed_);
}

void Data::poison_output() noexcept {
  for (float& value : y_) value = std::numeric_limits<float>::quiet_NaN();
}

std::span<const std::byte> Data::output() const noexcept {
  return std::as_bytes(std::span(y_.data(), y_.size()));
}

double Data::bytes() const noexcept {
  return static_cast<double>(
      (index(sizes_.tokens * sizes_.in_features) + y_.size() + scales_.size() + words_.size()) * 4);
}

double Data::operations() const noexcept {
  return 2.0 * static_cast<double>(sizes_.tokens) * static_cast<double>(sizes_.out_features) *
         static_cast<double>(sizes_.in_features);
}

}  // namespace adaptive::kernels::mixed_bit_matmul

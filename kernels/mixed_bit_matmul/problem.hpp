#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/common/cpu/host_reference.hpp"
#include "kernels/family.hpp"
#include "kernels/mixed_bit_matmul/operands.hpp"

namespace adaptive::kernels::mixed_bit_matmul {

inline constexpr std::array<int, 4> widths = {2, 3, 4, 8};  ///< in the order of the labels of `bits`

/// The values of a shape by name.
struct Sizes {
  std::int64_t tokens, out_features, in_features, bits_mask;
  explicit Sizes(const Shape& shape)
      : tokens(shape[0]), out_features(shape[1]), in_features(shape[2]), bits_mask(shape[3]) {}
};

/// The type in which activations, scales and offsets are exact, so that a backend may store them in it.
enum class Precision { float32, bfloat16, float16 };

/// Random operands on the host and their reference.
class Data {
 public:
  /// Of the shape's first four values, which every backend has.
  Data(const Shape& shape, std::uint64_t seed, Precision precision = Precision::float32);

  const Operands& operands() const noexcept { return operands_; }
  std::string description() const;
  void poison_output() noexcept;
  std::span<const std::byte> output() const noexcept;
  double max_error();
  double tolerance() const noexcept;
  double bytes() const noexcept;
  double operations() const noexcept;
  /// All elements, or a fixed sample; computed at the first call.
  const std::vector<Expected>& reference();
  /// The same for the first `tokens` rows of the activations; computed at each call.
  std::vector<Expected> reference_of(std::int64_t tokens) const;
  std::span<const std::uint32_t> words() const noexcept { return {words_.data(), words_.size()}; }
  std::span<const float> scales() const noexcept { return {scales_.data(), scales_.size()}; }
  std::span<const float> activations() const noexcept { return {x_.data(), x_.size()}; }

 private:
  Expected expected_at(std::int64_t token, std::int64_t row) const;
  int level(std::int64_t row, std::int64_t column) const;

  Sizes sizes_;
  std::uint64_t seed_;
  Buffer<float> x_, y_, scales_;
  Buffer<std::uint32_t> words_;
  std::vector<const std::uint32_t*> block_words_;
  std::vector<int> block_bits_;
  std::array<std::vector<std::int64_t>, 4> blocks_by_width_;
  Operands operands_{};
  std::optional<std::vector<Expected>> reference_;
};

}  // namespace adaptive::kernels::mixed_bit_matmul

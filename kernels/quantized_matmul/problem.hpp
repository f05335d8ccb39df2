#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/common/cpu/host_reference.hpp"
#include "kernels/family.hpp"
#include "kernels/quantized_matmul/operands.hpp"

namespace adaptive::kernels::quantized_matmul {

/// The values of a shape by name.
struct Sizes {
  std::int64_t tokens, out_features, in_features;
  Types types;
  Scales scales;
  explicit Sizes(const Shape& shape)
      : tokens(shape[0]),
        out_features(shape[1]),
        in_features(shape[2]),
        types(static_cast<Types>(shape[3])),
        scales(static_cast<Scales>(shape[4])) {}
};

/// The dimensions of every backend.
std::vector<Dimension> dimensions();

/// Explains what is wrong with a shape, for every backend; nothing if the shape is valid. No operand may have
/// more than 2^elements_log2 elements.
std::optional<std::string> why_no_product(const Shape& shape, int elements_log2);

/// Random operands on the host and their reference.
class Data {
 public:
  Data(const Shape& shape, std::uint64_t seed);

  const Operands& operands() const noexcept { return operands_; }
  std::string description() const;
  void poison_output() noexcept;
  std::span<const std::byte> output() const noexcept;
  double max_error();
  double tolerance() const noexcept;
  double bytes() const noexcept;
  double operations() const noexcept;

 private:
  /// All elements, or a fixed sample; computed at the first call.
  const std::vector<Expected>& reference();

  Sizes sizes_;
  std::uint64_t seed_;
  Buffer<std::uint16_t> x_;
  Buffer<std::uint8_t> w_;
  Buffer<float> w_scales_, y_;
  Operands operands_{};
  std::optional<std::vector<Expected>> reference_;
};

}  // namespace adaptive::kernels::quantized_matmul

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/common/cpu/host_reference.hpp"
#include "kernels/common/random.hpp"
#include "kernels/family.hpp"
#include "kernels/fused_moe/operands.hpp"
#include "kernels/fused_moe/routing.hpp"

namespace adaptive::kernels::fused_moe {

/// The values of a shape by name.
struct Sizes {
  std::int64_t tokens, hidden_size, intermediate_size, experts, filled, top_k, expert_parallel;
  Activation activation;
  Type type;
  explicit Sizes(const Shape& shape)
      : tokens(shape[0]),
        hidden_size(shape[1]),
        intermediate_size(shape[2]),
        experts(shape[3]),
        filled(shape[4]),
        top_k(shape[5]),
        expert_parallel(shape[6]),
        activation(static_cast<Activation>(shape[7])),
        type(static_cast<Type>(shape[8])) {}
};

/// The dimensions of every backend.
std::vector<Dimension> dimensions();

/// Explains what is wrong with a shape, for every backend; nothing if the shape is valid. No operand may have
/// more than 2^elements_log2 elements.
std::optional<std::string> why_no_layer(const Shape& shape, int elements_log2);

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
  /// The weights of one product, as stored.
  struct Weights {
    Buffer<float> floats, scales;
    Buffer<std::uint16_t> bfloats;
    Buffer<std::int8_t> levels;
    Buffer<std::uint32_t> words;
  };
  void make_activations(Random& random);
  /// The rows of an expert are `parts` times `part_rows`: gate and up, or down alone.
  ExpertWeights make_weights(std::int64_t parts, std::int64_t part_rows, std::int64_t columns, float size,
                             Weights& weights, Random& random) const;
  /// All tokens, or a fixed sample; computed at the first call.
  const std::vector<Expected>& reference();
  void add_expected(std::int64_t token, std::vector<Expected>& expected) const;

  Sizes sizes_;
  std::uint64_t seed_;
  Routing routing_;
  std::int64_t rows_ = 0;  ///< pairs of token and expert that are here
  Buffer<float> x_floats_, y_;
  Buffer<std::uint16_t> x_bfloats_;
  Weights up_, down_;
  Operands operands_{};
  std::optional<std::vector<Expected>> reference_;
};

}  // namespace adaptive::kernels::fused_moe

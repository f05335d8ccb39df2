#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "kernels/fused_moe/problem.hpp"

// The definition of the result from operands.hpp, with weights read one by one and sums in double.

namespace adaptive::kernels::fused_moe {
namespace {

double bfloat16_value(std::uint16_t value) {
  return static_cast<double>(std::bit_cast<float>(std::uint32_t{value} << 16));
}

/// A value and the sum of the magnitudes of its terms.
struct Terms {
  double value = 0, magnitude = 0;
};

/// Reads single weights of a product with `part_rows` rows in each part (gate, up; down has one part). A
/// weight of 4 bits has two terms, which kernels may add apart.
class WeightReader {
 public:
  WeightReader(const ExpertWeights& weights, Type type, std::int64_t part_rows)
      : w_(weights), type_(type), part_rows_(part_rows) {}

  Terms operator()(std::int64_t expert, std::int64_t row, std::int64_t column) const {
    const std::int64_t at = (expert * w_.rows + row) * w_.stride + column;
    switch (type_) {
      case Type::float32:
        return single(static_cast<double>(w_.floats[at]));
      case Type::bfloat16:
        return single(bfloat16_value(w_.bfloats[at]));
      case Type::int8_w8a16:
        return single(static_cast<double>(w_.scales[expert * w_.rows + row]) * w_.levels[at]);
      case Type::int4_w4a16:
        break;
    }
    const std::int64_t part_blocks = (part_rows_ + block_rows - 1) / block_rows;
    const std::int64_t in_part = row % part_rows_;
    const std::int64_t block = expert * w_.blocks + row / part_rows_ * part_blocks + in_part / block_rows;
    const std::int64_t group = block * (w_.stride / group_columns) + column / group_columns;
    const std::int64_t in_group = column % group_columns;
    const std::uint32_t word = w_.words[(group * 8 + in_group / 8) * block_rows + in_part % block_rows];
    const float* const scale = w_.scales + group * 2 * block_rows + in_part % block_rows;
    const double scaled = static_cast<double>(scale[0]) * (word >> (in_group % 8 * 4) & 15);
    const auto offset = static_cast<double>(scale[block_rows]);
    return {scaled + offset, std::abs(scaled) + std::abs(offset)};
  }

 private:
  static Terms single(double value) { return {value, std::abs(value)}; }

  const ExpertWeights& w_;
  Type type_;
  std::int64_t part_rows_;
};

double sigmoid(double value) {
  return 1 / (1 + std::exp(-value));
}

/// The activation, and the factor of up in it.
struct Activated {
  double gate, up;
};

Activated activated(Activation activation, double gate, double up) {
  constexpr auto slope = static_cast<double>(gelu_slope), cubic = static_cast<double>(gelu_cubic);
  constexpr auto limit = static_cast<double>(swiglu_limit);
  switch (activation) {
    case Activation::silu:
      return {gate * sigmoid(gate), up};
    case Activation::gelu_tanh:
      return {gate * sigmoid(slope * (gate + cubic * gate * gate * gate)), up};
    case Activation::swigluoai:
      break;
  }
  gate = std::min(gate, limit);
  return {gate * sigmoid(static_cast<double>(swiglu_slope) * gate), std::clamp(up, -limit, limit) + 1};
}

/// No activation is steeper.
constexpr double steepest = 1.13;

}  // namespace

// The magnitude of an element of the output has two parts: that of the terms of its own sum, and what the
// rounding of gate and up moves. The latter is relative to the magnitudes of their terms, so that a gate
// whose terms cancel out does not count against a variant, and goes through the tangent of the activation. It
// is independent for each element of h, so its squares are added; the sum of the magnitudes would hide errors
// of a thousandth in layers of usual widths.
void Data::add_expected(std::int64_t token, std::vector<Expected>& expected) const {
  const Operands& o = operands_;
  const WeightReader up_weight(o.up, o.type, o.intermediate_size);
  const WeightReader down_weight(o.down, o.type, o.hidden_size);
  const auto begin = static_cast<std::int64_t>(expected.size());
  for (std::int64_t column = 0; column < o.hidden_size; ++column)
    expected.push_back({token * o.hidden_size + column, 0, 0});
  std::vector<Terms> h(static_cast<std::size_t>(o.intermediate_size));  // with what rounding moves
  std::vector<double> moved_squares(static_cast<std::size_t>(o.hidden_size));
  for (std::int64_t slot = 0; slot < o.top_k; ++slot) {
    const std::int64_t expert = o.expert_map[o.ids[token * o.top_k + slot]];
    if (expert < 0) continue;
    const auto product = [&](std::int64_t row) {
      Terms sum;
      for (std::int64_t i = 0; i < o.hidden_size; ++i) {
        const std::int64_t at = token * o.up.stride + i;
        const double x =
            o.type == Type::float32 ? static_cast<double>(o.x_floats[at]) : bfloat16_value(o.x_bfloats[at]);
        const Terms w = up_weight(expert, row, i);
        sum.value += x * w.value;
        sum.magnitude += std::abs(x) * w.magnitude;
      }
      return sum;
    };
    for (std::int64_t i = 0; i < o.intermediate_size; ++i) {
      const Terms gate = product(i), up = product(o.intermediate_size + i);
      const Activated parts = activated(o.activation, gate.value, up.value);
      h[static_cast<std::size_t>(i)] = {
          parts.gate * parts.up,
          std::abs(parts.gate) * up.magnitude + steepest * gate.magnitude * std::abs(parts.up)};
    }
    const auto weight = static_cast<double>(o.weights[token * o.top_k + slot]);
    for (std::int64_t column = 0; column < o.hidden_size; ++column) {
      Expected& element = expected[static_cast<std::size_t>(begin + column)];
      double& square = moved_squares[static_cast<std::size_t>(column)];
      for (std::int64_t i = 0; i < o.intermediate_size; ++i) {
        const Terms w = down_weight(expert, column, i);
        const Terms& own = h[static_cast<std::size_t>(i)];
        element.value += weight * w.value * own.value;
        element.magnitude += weight * w.magnitude * std::abs(own.value);
        const double moved = weight * w.value * own.magnitude;
        square += moved * moved;
      }
    }
  }
  for (std::int64_t column = 0; column < o.hidden_size; ++column)
    expected[static_cast<std::size_t>(begin + column)].magnitude +=
        std::sqrt(moved_squares[static_cast<std::size_t>(column)]);
}

// A token is computed as a whole, because its elements share h.
const std::vector<Expected>& Data::reference() {
  if (reference_) return *reference_;
  reference_.emplace();
  const std::int64_t terms = 3 * sizes_.top_k * sizes_.hidden_size * sizes_.intermediate_size;
  const std::int64_t affordable = std::max<std::int64_t>(2, (std::int64_t{1} << 26) / terms);
  if (sizes_.tokens <= affordable) {
    for (std::int64_t token = 0; token < sizes_.tokens; ++token) add_expected(token, *reference_);
    return *reference_;
  }
  Random random(seed_ ^ 0x5eed);
  add_expected(sizes_.tokens - 1, *reference_);
  for (std::int64_t i = 1; i < affordable; ++i) add_expected(random.below(sizes_.tokens), *reference_);
  return *reference_;
}

double Data::max_error() {
  return kernels::max_error({y_.data(), y_.size()}, reference());
}

double Data::tolerance() const noexcept {
  // As in grouped_gemm for each of the two products, and 12 for the few roundings of the activation, of the
  // scales and of the weighted sum.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) *
         (12 + std::sqrt(static_cast<double>(sizes_.hidden_size)) / 4 +
          std::sqrt(static_cast<double>(sizes_.intermediate_size)) / 4);
}

}  // namespace adaptive::kernels::fused_moe

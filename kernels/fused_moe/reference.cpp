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

/// Reads single weights of a product with `part_rows` rows in each part (gate, up; down has one part).
class WeightReader {
 public:
  WeightReader(const ExpertWeights& weights, Type type, std::int64_t part_rows)
      : w_(weights), type_(type), part_rows_(part_rows) {}

  double operator()(std::int64_t expert, std::int64_t row, std::int64_t column) const {
    const std::int64_t at = (expert * w_.rows + row) * w_.stride + column;
    switch (type_) {
      case Type::float32:
        return static_cast<double>(w_.floats[at]);
      case Type::bfloat16:
        return bfloat16_value(w_.bfloats[at]);
      case Type::int8_w8a16:
        return static_cast<double>(w_.scales[expert * w_.rows + row]) * w_.levels[at];
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
    return static_cast<double>(scale[0]) * (word >> (in_group % 8 * 4) & 15) +
           static_cast<double>(scale[block_rows]);
  }

 private:
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

/// A sum and the sum of the magnitudes of its terms.
struct Terms {
  double value = 0, magnitude = 0;
};

}  // namespace

// The magnitude of an element of h is that of its terms where the activation is replaced by its tangent, so
// that the error of a gate whose terms cancel out does not count against a variant either.
void Data::add_expected(std::int64_t token, std::vector<Expected>& expected) const {
  const Operands& o = operands_;
  const WeightReader up_weight(o.up, o.type, o.intermediate_size);
  const WeightReader down_weight(o.down, o.type, o.hidden_size);
  const auto begin = static_cast<std::int64_t>(expected.size());
  for (std::int64_t column = 0; column < o.hidden_size; ++column)
    expected.push_back({token * o.hidden_size + column, 0, 0});
  std::vector<Terms> h(static_cast<std::size_t>(o.intermediate_size));
  for (std::int64_t slot = 0; slot < o.top_k; ++slot) {
    const std::int64_t expert = o.expert_map[o.ids[token * o.top_k + slot]];
    if (expert < 0) continue;
    const auto product = [&](std::int64_t row) {
      Terms sum;
      for (std::int64_t i = 0; i < o.hidden_size; ++i) {
        const std::int64_t at = token * o.up.stride + i;
        const double x =
            o.type == Type::float32 ? static_cast<double>(o.x_floats[at]) : bfloat16_value(o.x_bfloats[at]);
        const double term = x * up_weight(expert, row, i);
        sum.value += term;
        sum.magnitude += std::abs(term);
      }
      return sum;
    };
    for (std::int64_t i = 0; i < o.intermediate_size; ++i) {
      const Terms gate = product(i), up = product(o.intermediate_size + i);
      const Activated parts = activated(o.activation, gate.value, up.value);
      h[static_cast<std::size_t>(i)] = {
          parts.gate * parts.up, std::abs(parts.gate * parts.up) + std::abs(parts.gate) * up.magnitude +
                                     steepest * gate.magnitude * std::abs(parts.up)};
    }
    const auto weight = static_cast<double>(o.weights[token * o.top_k + slot]);
    for (std::int64_t column = 0; column < o.hidden_size; ++column) {
      Expected& element = expected[static_cast<std::size_t>(begin + column)];
      for (std::int64_t i = 0; i < o.intermediate_size; ++i) {
        const double w = weight * down_weight(expert, column, i);
        element.value += w * h[static_cast<std::size_t>(i)].value;
        element.magnitude += std::abs(w) * h[static_cast<std::size_t>(i)].magnitude;
      }
    }
  }
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

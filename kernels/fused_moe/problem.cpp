#include "kernels/fused_moe/problem.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace adaptive::kernels::fused_moe {
namespace {

constexpr std::int64_t padded_columns = 128;
constexpr std::int64_t bits_per_level = 4;
constexpr std::int64_t words_per_group = group_columns * bits_per_level / 32;

std::size_t place(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

std::int64_t up_to(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::uint16_t to_bfloat16(float value) {
  // Rounds half up: it does not matter to which of two neighbours a random number is rounded.
  return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(value) + 0x8000u) >> 16);
}

}  // namespace

std::vector<Dimension> dimensions() {
  return {{"tokens", Dimension::Kind::size},
          {"hidden_size", Dimension::Kind::size},
          {"intermediate_size", Dimension::Kind::size},
          {"experts", Dimension::Kind::size},
          {"filled", Dimension::Kind::size},
          {"top_k", Dimension::Kind::size},
          {"expert_parallel", Dimension::Kind::size},
          {"activation", Dimension::Kind::label, {"silu", "gelu_tanh", "swigluoai"}},
          {"dtype", Dimension::Kind::label, {"float32", "bfloat16", "int8_w8a16", "int4_w4a16"}}};
}

std::optional<std::string> why_no_layer(const Shape& shape, int elements_log2) {
  static const std::vector<Dimension> names = dimensions();
  if (auto why = why_out_of_range(names, shape)) return why;
  for (const std::size_t i : {1u, 2u, 3u, 5u, 6u})
    if (shape[i] == 0) return names[i].name + " is 0; it must be at least 1";
  const Sizes s(shape);
  constexpr std::int64_t experts_max = std::int64_t{1} << 20;
  if (s.experts > experts_max / s.expert_parallel) return "experts * expert_parallel is above 2^20";
  if (s.top_k > s.experts * s.expert_parallel) return "top_k is above experts * expert_parallel";
  const std::string is = "filled is " + std::to_string(s.filled);
  if (s.filled > s.experts) return is + ", more than experts = " + std::to_string(s.experts);
  const std::int64_t most = std::int64_t{1} << elements_log2;
  const std::string above = " is above 2^" + std::to_string(elements_log2);
  if (s.tokens > most / s.top_k / std::max(s.hidden_size, 2 * s.intermediate_size))
    return "tokens * top_k * max(hidden_size, 2 * intermediate_size)" + above;
  if (s.hidden_size > most / s.experts / (2 * s.intermediate_size))
    return "experts * 2 * intermediate_size * hidden_size" + above;
  if (s.filled > s.tokens * s.top_k) return is + ", more than tokens * top_k";
  const std::int64_t elsewhere = s.experts * (s.expert_parallel - 1);
  if (s.tokens > 0 && s.filled + elsewhere < s.top_k)
    return is + "; a token needs top_k = " + std::to_string(s.top_k) + " different experts";
  return std::nullopt;
}

Data::Data(const Shape& shape, std::uint64_t seed)
    : sizes_(shape),
      seed_(seed),
      routing_(make_routing(sizes_.tokens, sizes_.top_k, sizes_.experts, sizes_.filled,
                            sizes_.expert_parallel, seed ^ 0x6e0e)) {
  rows_ = std::count_if(routing_.ids.begin(), routing_.ids.end(),
                        [&](std::int32_t id) { return routing_.expert_map[place(id)] >= 0; });
  Random random(seed);
  make_activations(random);
  y_ = Buffer<float>(place(sizes_.tokens * sizes_.hidden_size));
  const auto hidden = static_cast<float>(sizes_.hidden_size);
  const auto intermediate = static_cast<float>(sizes_.intermediate_size);
  operands_ = {
      .tokens = sizes_.tokens,
      .hidden_size = sizes_.hidden_size,
      .intermediate_size = sizes_.intermediate_size,
      .experts = sizes_.experts,
      .router_experts = sizes_.experts * sizes_.expert_parallel,
      .top_k = sizes_.top_k,
      .activation = sizes_.activation,
      .type = sizes_.type,
      .x_floats = x_floats_.data(),
      .x_bfloats = x_bfloats_.data(),
      .ids = routing_.ids.data(),
      .weights = routing_.weights.data(),
      .expert_map = routing_.expert_map.data(),
      // Gates reach the bend of the activation, and with large tokens also its limit.
      .up = make_weights(2, sizes_.intermediate_size, sizes_.hidden_size, 3 / std::sqrt(hidden), up_, random),
      .down = make_weights(1, sizes_.hidden_size, sizes_.intermediate_size, 1 / std::sqrt(intermediate),
                           down_, random),
      .y = y_.data()};
}

void Data::make_activations(Random& random) {
  const std::int64_t stride = up_to(sizes_.hidden_size, padded_columns);
  const std::size_t elements = place(sizes_.tokens * stride);
  if (sizes_.type == Type::float32)
    x_floats_ = Buffer<float>(elements);
  else
    x_bfloats_ = Buffer<std::uint16_t>(elements);
  for (std::int64_t token = 0; token < sizes_.tokens; ++token) {
    // Tokens differ in size, so that a row of the wrong token is noticed.
    const float size = random.uniform(0.25F, 4);
    for (std::int64_t column = 0; column < sizes_.hidden_size; ++column) {
      const float value = random.uniform(-size, size);
      if (sizes_.type == Type::float32)
        x_floats_[place(token * stride + column)] = value;
      else
        x_bfloats_[place(token * stride + column)] = to_bfloat16(value);
    }
  }
}

ExpertWeights Data::make_weights(std::int64_t parts, std::int64_t part_rows, std::int64_t columns, float size,
                                 Weights& weights, Random& random) const {
  ExpertWeights made{};
  made.rows = parts * part_rows;
  made.columns = columns;
  made.stride = up_to(columns, padded_columns);
  const std::int64_t all_rows = sizes_.experts * made.rows;
  const auto fill = [&](auto& buffer, const auto& next) {
    for (std::int64_t row = 0; row < all_rows; ++row)
      for (std::int64_t column = 0; column < columns; ++column)
        buffer[place(row * made.stride + column)] = next();
  };
  switch (sizes_.type) {
    case Type::float32:
      weights.floats = Buffer<float>(place(all_rows * made.stride));
      fill(weights.floats, [&] { return random.uniform(-size, size); });
      break;
    case Type::bfloat16:
      weights.bfloats = Buffer<std::uint16_t>(place(all_rows * made.stride));
      fill(weights.bfloats, [&] { return to_bfloat16(random.uniform(-size, size)); });
      break;
    case Type::int8_w8a16:
      weights.levels = Buffer<std::int8_t>(place(all_rows * made.stride));
      fill(weights.levels, [&] { return static_cast<std::int8_t>(random.below(255) - 127); });
      weights.scales = Buffer<float>(place(all_rows));
      for (float& scale : weights.scales) scale = size / 127 * random.uniform(0.5F, 1.5F);
      break;
    case Type::int4_w4a16: {
      made.blocks = parts * up_to(part_rows, block_rows) / block_rows;
      const std::int64_t groups = sizes_.experts * made.blocks * made.stride / group_columns;
      weights.words = Buffer<std::uint32_t>(place(groups * words_per_group * block_rows));
      for (std::uint32_t& word : weights.words) word = static_cast<std::uint32_t>(random.next() >> 32);
      weights.scales = Buffer<float>(place(groups * 2 * block_rows));
      for (std::int64_t group = 0; group < groups; ++group)
        for (std::int64_t row = 0; row < block_rows; ++row) {
          float* const scale = weights.scales.data() + group * 2 * block_rows + row;
          scale[0] = size * random.uniform(1, 2) / 15;
          scale[block_rows] = -scale[0] * (7.5F + random.uniform(-0.5F, 0.5F));
        }
      break;
    }
  }
  made.floats = weights.floats.data();
  made.bfloats = weights.bfloats.data();
  made.levels = weights.levels.data();
  made.words = weights.words.data();
  made.scales = weights.scales.data();
  return made;
}

std::string Data::description() const {
  static const std::vector<Dimension> names = dimensions();
  return "y[" + std::to_string(sizes_.tokens) + ", " + std::to_string(sizes_.hidden_size) + "] of " +
         std::to_string(sizes_.experts) + " experts of width " + std::to_string(sizes_.intermediate_size) +
         " with " + std::to_string(rows_) + " rows over " + std::to_string(sizes_.filled) +
         " of them, top_k " + std::to_string(sizes_.top_k) + " of " +
         std::to_string(operands_.router_experts) + ", " +
         names[7].labels[static_cast<std::size_t>(sizes_.activation)] + ", " +
         names[8].labels[static_cast<std::size_t>(sizes_.type)] + ", seed " + std::to_string(seed_);
}

void Data::poison_output() noexcept {
  std::fill(y_.begin(), y_.end(), std::numeric_limits<float>::quiet_NaN());
}

std::span<const std::byte> Data::output() const noexcept {
  return std::as_bytes(std::span(y_.data(), y_.size()));
}

double Data::bytes() const noexcept {
  const auto hidden = static_cast<double>(sizes_.hidden_size);
  const auto intermediate = static_cast<double>(sizes_.intermediate_size);
  const auto tokens = static_cast<double>(sizes_.tokens);
  const double rows = 2 * intermediate + hidden;  // of the weights of an expert
  double weights = 3 * hidden * intermediate;
  switch (sizes_.type) {
    case Type::float32:
      weights *= 4;
      break;
    case Type::bfloat16:
      weights *= 2;
      break;
    case Type::int8_w8a16:
      weights += 4 * rows;
      break;
    case Type::int4_w4a16:
      weights *= 0.5 + 8.0 / group_columns;
      break;
  }
  const double x = sizes_.type == Type::float32 ? 4 : 2;
  return tokens * hidden * (x + 4) + 8 * tokens * static_cast<double>(sizes_.top_k) +
         static_cast<double>(sizes_.filled) * weights;
}

double Data::operations() const noexcept {
  return 6.0 * static_cast<double>(rows_) * static_cast<double>(sizes_.hidden_size) *
         static_cast<double>(sizes_.intermediate_size);
}

}  // namespace adaptive::kernels::fused_moe

// Tests the rounding of quantised activations against its definition.

#include "kernels/quantized_matmul/quantise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace adaptive::kernels::quantized_matmul {
namespace {

// The nearest float8 by trying all of them; of two that are equally near, the one with an even mantissa.
float nearest_e4m3(float value) {
  float best = 0;
  float least = std::numeric_limits<float>::infinity();
  for (int byte = 0; byte < 256; ++byte) {
    if ((byte & 0x7f) == 0x7f) continue;  // not a number
    const float candidate = from_e4m3(static_cast<std::uint8_t>(byte));
    const float distance = std::fabs(candidate - value);
    if (distance < least || (distance == least && byte % 2 == 0)) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

TEST(Quantise, EveryFloat8IsItself) {
  for (int byte = 0; byte < 256; ++byte) {
    if ((byte & 0x7f) == 0x7f) continue;
    const float value = from_e4m3(static_cast<std::uint8_t>(byte));
    EXPECT_EQ(to_e4m3(value), byte);
    EXPECT_EQ(rounded_to_e4m3(value), value);
  }
  EXPECT_EQ(from_e4m3(0x7e), 448.0F);
  EXPECT_EQ(from_e4m3(0x01), 0x1p-9F);
  EXPECT_EQ(from_e4m3(0x08), 0x1p-6F);
}

TEST(Quantise, RoundsToTheNearestFloat8) {
  for (int step = 0; step < 20'000; ++step) {
    // From far below the smallest float8 to above the largest, ties among them.
    const float value = std::ldexp(1.0F + static_cast<float>(step % 64) / 64, step / 64 % 24 - 14);
    for (const float signed_value : {value, -value}) {
      const float expected = nearest_e4m3(signed_value);
      ASSERT_EQ(from_e4m3(to_e4m3(signed_value)), expected) << signed_value;
      ASSERT_EQ(rounded_to_e4m3(signed_value), expected) << signed_value;
    }
  }
}

TEST(Quantise, RoundsToTheNearestInteger) {
  for (int step = -127 * 8; step <= 127 * 8; ++step) {
    const float value = static_cast<float>(step) / 8;
    ASSERT_EQ(rounded_to_int8(value), std::nearbyint(value)) << value;
  }
}

TEST(Quantise, ActivationsOfZeroHaveNoScale) {
  EXPECT_EQ(scaling_of(0, int8_max).to_level, 0);
  EXPECT_EQ(scaling_of(2, int8_max).to_level * 2, int8_max);
}

}  // namespace
}  // namespace adaptive::kernels::quantized_matmul

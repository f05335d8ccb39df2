// Where the variants' parameters place a key's candidates.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <adaptive/variant.hpp>

namespace adaptive::inline v1::core {

/// Represents variants as points in a space in which similar parameters are near each other. One unit of
/// distance is a factor of two between two numbers, or one different text or truth value.
struct ParameterSpace {
  /// 0 if the variants have no parameters or all have the same ones.
  std::size_t dimensions = 0;
  /// `dimensions` numbers for each variant, one variant after the other.
  std::vector<float> coordinates = {};

  bool empty() const noexcept { return dimensions == 0; }
  /// Squared distance between two variants. The space must not be empty.
  double distance_squared(std::size_t a, std::size_t b) const noexcept {
    double sum = 0.0;
    for (std::size_t d = 0; d < dimensions; ++d) {
      const double apart = double{coordinates[a * dimensions + d]} - double{coordinates[b * dimensions + d]};
      sum += apart * apart;
    }
    return sum;
  }
};

/// One coordinate for each number, its logarithm to base 2 (of 1 + x where zeros or negative numbers occur,
/// with the sign of x); a text or truth value has a coordinate for each of its values. Left out is what all
/// candidates have in common, and a text with so many values that it names the variants instead of
/// describing them. Where a candidate lacks a number it stands at the mean of the others, and one more
/// coordinate says so.
ParameterSpace parameter_space(std::span<const Parameters* const> candidates);

/// Of candidates that have no parameters but are named after them, "16x64x128_w4", "32x64x128_w8": the
/// numbers in their names. Empty where they differ in anything else, or in one number alone, which may be no
/// more than an index.
ParameterSpace parameter_space(std::span<const std::string_view> names);

}  // namespace adaptive::core

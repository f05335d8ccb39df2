// The variants of an operation as points in a space of their parameters.
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

/// Makes the space of candidates from their parameters.
/// - A number has one coordinate, its logarithm to base 2. If zeros or negative numbers occur, it is the
///   logarithm of 1 + |x| with the sign of x. A candidate without the number is placed at the mean of the
///   others, and one more coordinate marks it.
/// - A text or truth value has a coordinate for each of its values, or a single one if there are two values.
///   A text with so many values that it names the variants rather than describes them is left out.
/// - Coordinates that are the same for all candidates are left out.
ParameterSpace parameter_space(std::span<const Parameters* const> candidates);

/// Makes the space of candidates without parameters from the numbers in their names, such as "16x64x128_w4"
/// and "32x64x128_w8". It is empty if the names differ in anything else, or in only one number, which may be
/// a mere index.
ParameterSpace parameter_space(std::span<const std::string_view> names);

}  // namespace adaptive::core

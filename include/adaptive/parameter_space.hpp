#pragma once

#include <cstddef>
#include <vector>

namespace adaptive::inline v1 {

/// Represents the candidates of a key as points in a space in which similar parameters are near each other.
/// One unit of distance is a factor of two between two numbers, or one different text or truth value. Plain
/// data.
struct ParameterSpace {
  /// 0 if the candidates have no parameters or all have the same ones.
  std::size_t dimensions = 0;
  /// `dimensions` numbers for each candidate, one candidate after the other.
  std::vector<float> coordinates = {};

  bool empty() const noexcept { return dimensions == 0; }
  /// Squared distance between two candidates. The space must not be empty.
  double distance_squared(std::size_t a, std::size_t b) const noexcept {
    double sum = 0.0;
    for (std::size_t d = 0; d < dimensions; ++d) {
      const double apart = double{coordinates[a * dimensions + d]} - double{coordinates[b * dimensions + d]};
      sum += apart * apart;
    }
    return sum;
  }
};

}  // namespace adaptive

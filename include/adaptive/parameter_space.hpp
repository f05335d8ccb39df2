#pragma once

#include <cstddef>
#include <vector>

namespace adaptive::inline v1 {

/// The candidates of a key as points: the more alike their parameters, the nearer. One unit of distance is a
/// factor of two of a number, or one text or truth value in the place of another.
struct ParameterSpace {
  /// 0 where the parameters say nothing: there are none, or they are the same for all candidates.
  std::size_t dimensions = 0;
  /// Candidate after candidate, `dimensions` numbers each.
  std::vector<float> coordinates = {};

  bool empty() const noexcept { return dimensions == 0; }
  /// Of two candidates of a space that is not empty.
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

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/common/random.hpp"

// The reference with which the output of a problem on the host is compared (Problem::max_error).

namespace adaptive::kernels {

/// An element of the output in double.
struct Expected {
  std::int64_t at = 0;
  double value = 0;
  double magnitude = 0;  ///< sum of the magnitudes of its terms
};

/// Every element of an output [rows][columns], or, if all elements would take more than 2^26 multiply-adds, a
/// fixed sample that includes the last element. `expected_at(row, column)` adds `terms` terms.
template <class F>
std::vector<Expected> make_reference(std::int64_t rows, std::int64_t columns, std::int64_t terms,
                                     std::uint64_t seed, const F& expected_at) {
  std::vector<Expected> reference;
  const std::int64_t affordable = (std::int64_t{1} << 26) / std::max<std::int64_t>(1, terms);
  if (rows * columns <= affordable) {
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t column = 0; column < columns; ++column) reference.push_back(expected_at(row, column));
    return reference;
  }
  Random random(seed ^ 0x5eed);
  reference.push_back(expected_at(rows - 1, columns - 1));
  for (std::int64_t i = 1; i < affordable; ++i) {
    const std::int64_t at = random.below(rows * columns);
    reference.push_back(expected_at(at / columns, at % columns));
  }
  return reference;
}

/// The largest error relative to the magnitude; infinite if any value is not finite.
inline double max_error(std::span<const float> values, std::span<const Expected> reference) {
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(values.begin(), values.end(), finite)) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (const Expected& expected : reference) {
    const auto actual = static_cast<double>(values[static_cast<std::size_t>(expected.at)]);
    // A sum without terms, or of zeros only, has magnitude zero and must be exactly zero.
    worst = std::max(worst, std::abs(actual - expected.value) / std::max(expected.magnitude, 1e-30));
  }
  return worst;
}

}  // namespace adaptive::kernels

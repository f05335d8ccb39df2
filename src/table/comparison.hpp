// Whether one measurement is faster than another, or only seems so.
#pragma once

#include "table/table.hpp"

namespace adaptive::table {

struct Comparison {
  /// Location of the second against the first: 0.1 is a tenth slower, -0.1 a tenth faster.
  double change = 0.0;
  /// What a change must exceed to be believed: 99 % confidence of the difference of two means, and no less
  /// than 1 %, since runs differ by more than the results within one. Where few results exist their deviation
  /// counts as 3 %, the weight of four results.
  double noise = 0.0;

  bool faster() const noexcept { return change < -noise; }
  bool slower() const noexcept { return change > noise; }
};

/// Both must have been measured.
Comparison compare(const Statistics& before, const Statistics& after) noexcept;

}  // namespace adaptive::table

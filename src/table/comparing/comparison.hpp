// Whether one measurement is faster than another, or only seems so.
#pragma once

#include <cstddef>

#include "table/table.hpp"

namespace adaptive::table {

struct Comparison {
  /// Location of the second against the first: 0.1 is a tenth slower, -0.1 a tenth faster.
  double change = 0.0;
  /// What an increase must exceed to be believed; a decrease must exceed the same factor.
  double noise = 0.0;

  bool faster() const noexcept { return 1.0 + change < 1.0 / (1.0 + noise); }
  bool slower() const noexcept { return change > noise; }
  bool within_noise() const noexcept { return !faster() && !slower(); }
};

/// Compares two records that were both measured.
///
/// Student's t of the difference of two means of log latency, with 99 % confidence. The deviation is that of
/// both records together, so that three results that agree by chance do not make a noisy variant precise, or
/// each record's own (Welch), so that many results of one record do not hide how few and noisy the other's
/// are: whichever is more doubtful. Where few results agree, their deviation is drawn to 3 %, with the weight
/// of four results. The noise is never below 1 %, since runs differ by more than the results within one,
/// and never above a factor of 1,000, which no noise explains.
///
/// `comparisons`: how many are made together. Each is then stricter, so that with 99 % confidence none of
/// them mistakes noise for a change (Bonferroni's correction).
Comparison compare(const Statistics& before, const Statistics& after, std::size_t comparisons = 1) noexcept;

}  // namespace adaptive::table

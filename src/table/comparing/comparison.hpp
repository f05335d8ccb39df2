// Decides whether the difference between two measurements exceeds their noise.
#pragma once

#include <cstddef>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

struct Comparison {
  /// Relative change of the location: 0.1 means that the second is 10 % slower, -0.1 that it is 10 % faster.
  double change = 0.0;
  /// An increase is significant if it exceeds this value; a decrease, if it exceeds the same factor.
  double noise = 0.0;

  bool faster() const noexcept { return 1.0 + change < 1.0 / (1.0 + noise); }
  bool slower() const noexcept { return change > noise; }
  bool within_noise() const noexcept { return !faster() && !slower(); }
  /// Slower, by more than `tolerance` and the noise also in the tenths of a percent that are printed.
  bool is_regression(double tolerance) const noexcept;
};

/// Compares two records that were both measured.
///
/// The noise is the 99 % confidence limit of Student's t test for the difference of two means of log latency.
/// It is computed twice, and the larger result counts: with the pooled deviation of both records, so that
/// three results that agree by chance do not make a noisy variant look precise; and with each record's own
/// deviation (Welch), so that many results of one record do not hide that the other's are few and noisy. If
/// few results agree, their deviation is shrunk towards 3 %, with the weight of four results. The noise is at
/// least 1 %, since runs differ by more than the results within a run, and at most a factor of 1,000.
///
/// `comparisons` is the number of comparisons that are made together. The more there are, the stricter each
/// one is: with 99 % confidence none of them mistakes noise for a change (Bonferroni's correction).
Comparison compare(const Statistics& before, const Statistics& after, std::size_t comparisons = 1) noexcept;

}  // namespace adaptive::table

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// How the latencies of an operation scatter on this device, learned over all keys: how far one log latency
/// usually lies from its location, how often a result is later than that by how much, and how often a variant
/// turns out far faster than expected. Plain data.
struct ADAPTIVE_EXPORT NoiseLaw {
  static constexpr std::size_t steps = 12;
  /// The excesses, as differences of log latency, at which late results are counted.
  static constexpr std::array<double, steps> at = {0.0, 0.05, 0.1, 0.17, 0.3, 0.5,
                                                   0.7, 1.0,  1.5, 2.2,  3.0, 4.5};

  double deviation = 0.03;              ///< standard deviation of one log latency, without outliers
  double results = 0.0;                 ///< results that could be recognised as late
  std::array<double, steps> late = {};  ///< how many of them were outliers by at least `at`
  /// Share of the late results after which the next result was late, too: near `results_late / results` if
  /// outliers come singly, near 1 if they come in bursts.
  double repeated = 0.1;
  /// Share of the candidates of which nothing is known, whatever is expected of them.
  double strangers = 0.01;
  /// Standard deviation, in log latency, of a candidate of which nothing is known about its expectation.
  static constexpr double stranger_deviation = 0.3;

  /// Upper estimate of the chance that a result is later than its location by `excess` or more. Before
  /// anything has been counted, one result in a hundred is late, and the chance falls with the excess.
  double chance_of(double excess) const noexcept;
  /// The same for `count` results all of which are so late.
  double chance_of_all(double excess, double count) const noexcept;
};

/// What the results of all keys of an operation, and tables, let expect of the candidates of one key before
/// its own results count. The errors of the expected log latencies are jointly normal. Plain data; made by
/// the selector's worker thread or by `Selector::learn`, and never changed afterwards.
struct Expectations {
  /// Number of candidates up to which `covariance` is a full matrix.
  static constexpr std::size_t correlated_max = 64;

  std::vector<float> location;  ///< expected log latency (natural logarithm, of nanoseconds), by candidate
  /// Covariance of the errors, without that of the level: row by row; only the variances if there are more
  /// candidates than `correlated_max`.
  std::vector<float> covariance;
  /// Standard deviation of the error that all candidates have in common. From 1 on the level counts as
  /// unknown.
  double level_deviation = 1.0;
  /// Number of results by which the size of the errors has been checked.
  double checked = 0.0;
  /// Number of results behind what a table of this device says of each candidate; empty if none says
  /// anything.
  std::vector<std::uint32_t> told;
  NoiseLaw noise;

  bool correlated() const noexcept { return covariance.size() > location.size(); }
  /// Whether a table of this device and software is believed: what it proves need not be measured again.
  bool from_own_table() const noexcept { return !told.empty(); }
};

}  // namespace adaptive

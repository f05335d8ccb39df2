#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// How the latencies of an operation scatter on this device, learned over all keys: the standard deviation of
/// one log latency, how often results are late and by how much, and how often a variant turns out far faster
/// than expected. Plain data.
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
  /// Probability that the expectation of a candidate says nothing about it: the share of the candidates that
  /// turned out far faster than expected.
  double strangers = 0.01;
  /// Standard deviation of the log latency of such a candidate around its expectation.
  static constexpr double stranger_deviation = 0.3;

  /// Upper estimate of the chance that a result is later than its location by `excess` or more. Before
  /// anything has been counted, one result in a hundred is late, and the chance falls with the excess.
  double chance_of(double excess) const noexcept;
  /// Upper estimate of the chance that `count` results are all so late.
  double chance_of_all(double excess, double count) const noexcept;
};

/// The log latencies that the candidates of one key are expected to have before the key's own results count.
/// They come from the results of all keys of the operation and from tables. The errors are jointly normal.
/// Plain data; made by the selector's worker thread or by `Selector::learn`, and never changed afterwards.
struct Expectations {
  /// Number of candidates up to which `covariance` is a full matrix.
  static constexpr std::size_t correlated_max = 64;

  std::vector<float> location;  ///< expected log latency (natural logarithm, of nanoseconds), by candidate
  /// Covariance of the errors, row by row, without the error that all candidates have in common. Only the
  /// variances if there are more candidates than `correlated_max`.
  std::vector<float> covariance;
  /// Standard deviation of the error that all candidates have in common. From 1 on the level counts as
  /// unknown.
  double level_deviation = 1.0;
  /// Number of results that have been compared with expectations, from which the scale of the errors is
  /// known.
  double checked = 0.0;
  /// Whether most of the keys behind the expectations are known from tables only: this process has measured
  /// few keys that could confirm them.
  bool learned_elsewhere = false;
  /// For each candidate, the number of its results in a table of this device. Empty if there is no such
  /// table.
  std::vector<std::uint32_t> told;
  NoiseLaw noise;

  bool correlated() const noexcept { return covariance.size() > location.size(); }
  /// Whether a table of this device and software is believed: what it proves need not be measured again.
  bool from_own_table() const noexcept { return !told.empty(); }
};

}  // namespace adaptive

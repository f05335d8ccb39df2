#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// The law of noise: how the latencies of an operation scatter on this device, learned over all keys. It
/// consists of the standard deviation of one log latency, the frequency and size of late results, and the
/// frequency of variants that turn out far faster than expected. Plain data.
struct ADAPTIVE_EXPORT NoiseLaw {
  static constexpr std::size_t steps = 12;
  /// The excesses, as differences of log latency, at which late results are counted.
  static constexpr std::array<double, steps> at = {0.0, 0.05, 0.1, 0.17, 0.3, 0.5,
                                                   0.7, 1.0,  1.5, 2.2,  3.0, 4.5};

  double deviation = 0.03;              ///< standard deviation of one log latency, without outliers
  double results = 0.0;                 ///< number of results that could be recognised as late
  std::array<double, steps> late = {};  ///< number of results that were late by at least `at`
  /// Share of the late results after which the next result was late, too: near `late[0] / results` if
  /// outliers come singly, near 1 if they come in bursts.
  double repeated = 0.1;
  /// Probability that the expectation of a candidate says nothing about it: the share of the candidates that
  /// turned out far faster than expected.
  double strangers = 0.01;
  /// Standard deviation of the log latency of such a stranger around its expectation.
  static constexpr double stranger_deviation = 0.3;

  /// Upper estimate of the chance that a result is late by `excess` or more, in log latency above its
  /// location. Before anything has been counted, one result in a hundred is late, and the chance falls with
  /// the excess.
  double chance_of(double excess) const noexcept;
  /// Upper estimate of the chance that each of `count` results is late by `excess` or more.
  double chance_of_all(double excess, double count) const noexcept;
};

/// The expected log latencies of the candidates of one key, before the key's own results count. The
/// expectations come from the results of all keys of the operation and from tables. Their errors are jointly
/// normal. Plain data; made by the selector's worker thread or by `Selector::learn`, and never changed
/// afterwards.
struct Expectations {
  /// Number of candidates up to which `covariance` is a full matrix.
  static constexpr std::size_t correlated_max = 64;

  std::vector<float> location;  ///< expected log latency (natural logarithm, of nanoseconds), by candidate
  /// Covariance of the errors, row by row, without the error that all candidates have in common. Only the
  /// variances if there are more candidates than `correlated_max`.
  std::vector<float> covariance;
  /// Standard deviation of the error that all candidates have in common, that of the key's level. If it is 1
  /// or more, the level counts as unknown.
  double level_deviation = 1.0;
  /// Number of results that have been compared with expectations, to find the scale of the errors.
  double checked = 0.0;
  /// Whether most of the keys behind the expectations are known only from tables, so that few keys measured
  /// by this process could confirm them.
  bool learned_elsewhere = false;
  /// For each candidate, the number of its results in a table of this device. Empty if there is no such
  /// table.
  std::vector<std::uint32_t> told;
  NoiseLaw noise;  ///< of the operation's results on this device

  bool correlated() const noexcept { return covariance.size() > location.size(); }
  /// Whether a table of this device and software counts as proof, so that its results need not be repeated.
  bool from_own_table() const noexcept { return !told.empty(); }
};

}  // namespace adaptive

// What the results of some variants say about others with like parameters.
#pragma once

#include <cstddef>
#include <vector>

#include <adaptive/policy.hpp>
#include <adaptive/statistics.hpp>
#include "policies/models/parameter_process.hpp"

namespace adaptive::policies {

/// What to expect of a key's candidates from the results of others and how alike their parameters are
/// (`ParameterProcess`), and which results to doubt.
///
/// Smoothness and scale are averaged over hypotheses by their likelihood, so that parameters that say nothing
/// are found to say nothing: what is expected of all candidates is then their mean, with the deviation of
/// those that have results.
///
/// Not thread-safe. Time: the cube of the candidates with results, 64 at most, some ten times, whenever one
/// more has results; else what it takes to go over the candidates.
class ParameterModel {
 public:
  /// Whether there is something to be learned: the candidates have parameters and are not few.
  static bool applies(const KeyStatistics& key) noexcept;

  /// Fits to the key's results unless they are what it was fitted to. False where they say nothing yet.
  bool update(const KeyStatistics& key) noexcept;

  /// How well each result agrees with what the others let expect: log densities, summed over the candidates
  /// with results.
  double log_likelihood() const noexcept { return log_likelihood_; }

  /// Whether something was expected of a candidate at the latest `update`, which found no results of it.
  bool expects(std::size_t candidate) const noexcept {
    return candidate < expected_.size() && expected_[candidate].deviation > 0.0 && !doubted_[candidate];
  }

  /// Whether the only result of a candidate is so far above what those of the others let expect that it is
  /// taken for an outlier; after an `update`, as what follows.
  bool doubts(std::size_t candidate) const noexcept { return doubted_[candidate]; }

  /// Of a candidate without results, or with one that is doubted, given those of the others.
  const Expectation& expected(std::size_t candidate) const noexcept { return expected_[candidate]; }
  double location(std::size_t candidate) const noexcept { return expected_[candidate].location; }
  double deviation(std::size_t candidate) const noexcept { return expected_[candidate].deviation; }

  /// The number of calls from which on a look at such a candidate pays, against a leader at location `best`.
  double worth_from(std::size_t candidate, double best) const noexcept;

 private:
  using Candidates = std::vector<std::size_t>;

  bool is_current(const KeyStatistics& key, bool cold) const noexcept;
  void fit(const KeyStatistics& key, bool cold);
  void weigh(ParameterProcess& process, std::size_t results);
  /// Moves candidates whose only result is doubted to the unknown; false where there are none.
  bool doubt(const KeyStatistics& key, ParameterProcess& process, Candidates& known, Candidates& unknown);

  std::vector<double> fitted_to_;  // location of each candidate, none of those that tell nothing
  std::vector<bool> doubted_;
  std::vector<Expectation> expected_;  // of deviation 0 where nothing was asked
  std::vector<ProcessHypothesis> hypotheses_;
  std::size_t weighed_at_ = 0;  // as many results as there were when all of them were weighed
  double stranger_share_ = 0.0;
  double log_likelihood_ = 0.0;
};

}  // namespace adaptive::policies

// What the results of some variants say about others with like parameters.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <adaptive/policy.hpp>
#include <adaptive/statistics.hpp>
#include "policies/models/parameter_process.hpp"

namespace adaptive::inline v1::policies {

/// What is believed of a key's candidates, by their numbers.
struct ParameterBeliefs {
  std::vector<Expectation> expected;  ///< of deviation 0 where nothing was asked
  /// Candidates whose only result is taken for an outlier.
  std::vector<bool> doubted;
  double stranger_share = 0.0;
  double log_likelihood = 0.0;
  std::vector<ProcessHypothesis> hypotheses;
  std::size_t weighed_at = 0;  ///< as many results as there were when all hypotheses were weighed
};

/// A fit to a key's results as they were at one moment. Time: the cube of the candidates with results, 64 at
/// most, some ten times.
class ParameterFit final : public Fit {
 public:
  /// Copies what it needs of `key`. `told` has the location of each candidate whose results tell something of
  /// others, `before` what the latest fit has found.
  ParameterFit(const KeyStatistics& key, const std::vector<double>& told, const ParameterBeliefs& before);

  void run() noexcept override;

 private:
  friend class ParameterModel;
  using Candidates = std::vector<std::size_t>;

  void fit();
  void weigh(ParameterProcess& process, std::size_t results);
  /// Moves candidates whose only result is doubted to the unknown; false where there are none.
  bool doubt(ParameterProcess& process, Candidates& known, Candidates& unknown);

  ParameterResults results_;
  std::vector<double> told_;
  ParameterBeliefs beliefs_;
};

/// What to expect of a key's candidates from the results of others and how alike their parameters are
/// (`ParameterProcess`), and which results to doubt.
///
/// Smoothness and scale are averaged over hypotheses by their likelihood, so that parameters that say nothing
/// are found to say nothing: what is expected of all candidates is then their mean, with the deviation of
/// those that have results.
///
/// A fit takes too long for a launch. So `watch` only notes that one is due, `start` and `adopt` frame it
/// (`Policy::start_fit`), and what the latest fit has found is in use until the next. Not thread-safe.
class ParameterModel {
 public:
  /// Whether there is something to be learned: the candidates have parameters and are not few.
  static bool applies(const KeyStatistics& key) noexcept;

  /// Notes whether the key's results are still those that the latest fit was started for. Allocates nothing.
  void watch(const KeyStatistics& key) noexcept;
  /// Whether results have come since the latest fit was started.
  bool due() const noexcept { return due_; }
  /// Whether a fit is due or under way, and the key's calls when it became due.
  bool is_stale() const noexcept { return due_ || under_way_; }
  double stale_since() const noexcept { return stale_since_; }

  std::unique_ptr<ParameterFit> start(const KeyStatistics& key);
  /// Takes what the fit has found, and leaves in it what was known before.
  void adopt(ParameterFit& fit) noexcept;

  /// Whether the latest fit has something to say of the candidates of `key`.
  bool speaks_of(const KeyStatistics& key) const noexcept {
    return !now_.expected.empty() && now_.expected.size() == key.size();
  }

  // What follows is of the latest fit; where it `speaks_of` the key.

  /// How well each result agrees with what the others let expect: log densities, summed over the candidates
  /// with results.
  double log_likelihood() const noexcept { return now_.log_likelihood; }

  /// Whether something is expected of a candidate: it had no results, or a single one that is doubted.
  bool knows(std::size_t candidate) const noexcept {
    return candidate < now_.expected.size() && now_.expected[candidate].deviation > 0.0;
  }
  /// The same of those that had no results.
  bool expects(std::size_t candidate) const noexcept { return knows(candidate) && !now_.doubted[candidate]; }

  /// Whether the only result of a candidate was so far above what those of the others let expect that it is
  /// taken for an outlier.
  bool doubts(std::size_t candidate) const noexcept { return now_.doubted[candidate]; }

  // What is expected of a candidate that it `knows`.
  const Expectation& expected(std::size_t candidate) const noexcept { return now_.expected[candidate]; }
  double location(std::size_t candidate) const noexcept { return now_.expected[candidate].location; }
  double deviation(std::size_t candidate) const noexcept { return now_.expected[candidate].deviation; }

  /// The number of calls from which on a look at such a candidate pays, against a leader at location `best`.
  double worth_from(std::size_t candidate, double best) const noexcept;

 private:
  bool is_current(const KeyStatistics& key, bool cold) const noexcept;

  bool due_ = false;
  bool under_way_ = false;
  double stale_since_ = 0.0;
  std::vector<double> told_;  // of the latest fit that was started: a location, or none, of each candidate
  ParameterBeliefs now_;
};

}  // namespace adaptive::policies

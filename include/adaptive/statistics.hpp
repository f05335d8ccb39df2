#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <adaptive/detail/export.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/parameter_space.hpp>

namespace adaptive::inline v1 {

/// What is known about one candidate of a key. Logarithms are natural, of nanoseconds: on that scale a
/// difference of 0.01 is one percent whatever the kernel, and the noise of a launch is nearly the same for
/// all variants.
struct VariantStatistics {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  /// Up to so many results the location is a mean of those near their median; afterwards a clipped mean.
  static constexpr std::size_t first_count = 5;
  /// Hidden factors by which the errors of a key's priors can move together.
  static constexpr std::size_t prior_factors = 3;

  std::uint32_t variant = 0;      ///< index in the operation
  std::uint32_t pending = 0;      ///< timed launches whose result has neither come nor been given up
  std::uint64_t count = 0;        ///< results since the last restart: the weight of `location`
  std::uint64_t total_count = 0;  ///< results in this run: the weight of `mean_ns`
  std::uint64_t failures = 0;     ///< launches reported by `fail`
  std::int64_t failed_at = 0;     ///< seconds since 1970 of the latest of them
  bool set_aside = false;         ///< a table of this device and software says that it failed lately
  bool available = true;          ///< false: it failed, or the program has disabled it
  bool remembered = false;        ///< no result has come since the key's latencies changed
  double location = none;         ///< robust log latency
  /// The part of `location` that is not from the candidate's own results: a change of the key that other
  /// candidates have shown to be common to all. At most `KeyStatistics::moved_max` either way.
  double moved = 0.0;
  double tail = 0.0;        ///< what outliers add to `location`, see `KeyStatistics::objective`
  double mean_ns = 0.0;     ///< plain mean
  double squares_ns = 0.0;  ///< sum of squared deviations from `mean_ns`
  double minimum_ns = std::numeric_limits<double>::infinity();
  /// Log latency as a table, a neighbour or a prediction has it, and the deviation of its error as far as
  /// known beforehand, besides what is common to all candidates; `none` without one.
  double prior = none;
  double prior_deviation = none;
  /// What of that error is common with other candidates: loadings · f for factors f that are independent
  /// standard normal and the same for all candidates of the key. Zero where priors err each on its own.
  std::array<double, prior_factors> prior_loadings{};
  std::uint64_t prior_count = 0;            ///< results behind `prior`
  double launches = 0.0;                    ///< estimate of the key's `calls` that ran it
  double asked_at = 0.0;                    ///< the key's `calls` when it was last launched to be timed
  std::array<double, first_count> first{};  ///< the first log latencies since the last restart
  double exposed = 0.0;   ///< results that could have been told for outliers, older ones fading
  double outliers = 0.0;  ///< how many of them were

  bool has_prior() const noexcept { return prior == prior; }
  /// What the candidate's own results say, whatever has been concluded from those of others.
  double own_location() const noexcept { return location - moved; }
  /// What a launch is expected to cost, as a log latency: what variants are compared by. `none` without
  /// results.
  double expected() const noexcept { return location + tail; }
  /// Of one latency, in ns²; 0 with fewer than two results.
  double variance_ns() const noexcept {
    return total_count < 2 ? 0.0 : squares_ns / static_cast<double>(total_count - 1);
  }
};

/// One timed result as a policy sees it.
struct Sample {
  std::uint32_t candidate = 0;
  double log_latency = 0.0;
  /// Against the location before this result; 0 for a candidate's first one.
  double residual = 0.0;
};

/// All that is known about a key: what policies decide on. Candidates are numbered 0 … size()-1 within the
/// key, in the order in which the operation names them.
///
/// Not thread-safe: the selector holds the key's lock around every use.
class ADAPTIVE_EXPORT KeyStatistics {
 public:
  std::vector<VariantStatistics> candidates;
  std::uint32_t incumbent = 0;  ///< the candidate in use until another is promoted
  bool settled = false;  ///< the incumbent has been confirmed or promoted, and nothing has re-opened the key
  double calls = 0.0;    ///< estimate of the calls so far: exact until measurements are sampled
  std::uint64_t results = 0;  ///< timed results in this run

  /// The priors were measured for this very key, on this device, with this software.
  bool trusted_prior = false;
  /// Deviation of the error that all priors of the key have in common: another clock, another shape.
  double prior_offset_deviation = 0.10;

  Objective objective = Objective::automatic;  ///< what `VariantStatistics::tail` says

  /// How alike the candidates' parameters are; null where nothing is to be made of that.
  std::shared_ptr<const ParameterSpace> parameters;

  std::size_t size() const noexcept { return candidates.size(); }
  const VariantStatistics& operator[](std::size_t candidate) const noexcept { return candidates[candidate]; }

  /// Launches of a candidate whose results can still be expected: none once the latest of them has been out
  /// for twice as long as results have been seen to take. All of them before anything has come.
  std::uint32_t awaited(std::size_t candidate) const noexcept {
    const VariantStatistics& c = candidates[candidate];
    return results == 0 || calls - c.asked_at <= 2.0 * delay_ + delay_usual ? c.pending : 0;
  }

  /// The calls from a launch to its result: the longest of late.
  double delay() const noexcept { return delay_; }

  /// A result has come so many calls after its launch.
  void note_delay(double calls_since) noexcept;

  /// Deviation of one log latency, pooled over the candidates and shrunk towards 3 % while few results exist
  /// (weight of four results); never below 0.2 %, the step of the coarsest clock in use on a 30 µs kernel.
  double deviation() const noexcept { return deviation_; }

  /// Share of the results that lie more than four deviations from their location: outliers, or contention.
  /// Starts at one in a hundred with the weight of 50 results.
  double outlier_share() const noexcept { return (0.5 + outliers_) / (50.0 + freedom_); }

  /// The available candidate with the least expected cost; one without results counts by its prior where
  /// `use_priors`. The incumbent where nothing is known.
  std::uint32_t leader(bool use_priors = false) const noexcept;

  /// How many results agree with a candidate's location. Two outliers seldom agree with each other, so what
  /// looks slow on few results is believed only when they do; where keys start cold (`starts_cold`, which
  /// whoever asks about several candidates finds out once), first results do not count. All results once
  /// there are more than a few.
  std::uint64_t agreeing(std::size_t candidate, bool cold) const noexcept;

  /// Whether first results are slow starts here (module load, JIT, cache): of the candidates with several
  /// results, at least half had a first one far above the rest. A single result says nothing then.
  bool starts_cold() const noexcept;

  /// Whether something has disturbed several launches in a row, and no longer does: what a single result said
  /// may have been said of that.
  bool was_disturbed() const noexcept { return disturbed_ && late_in_a_row_ == 0; }

  /// What a candidate's outliers add to its location should they be its own, which `tail` takes them for only
  /// beyond chance: 0 once the results of the others bear out that outliers meet all alike, and where the
  /// objective leaves no doubt about whose they are.
  double tail_if_own(const VariantStatistics& candidate) const noexcept;

  /// Half the width of the confidence sequence of a candidate's location: valid at all times together, for
  /// all candidates together, with probability 1 - error. Infinite without results. Source: the normal
  /// mixture boundary of Robbins, in the form of Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform,
  /// nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021), eq. 14.
  double radius(std::size_t candidate, double error) const noexcept;

  /// Adds a result and returns what policies see of it.
  Sample add(std::uint32_t candidate, double latency_ns) noexcept;

  /// A candidate starts again: its location is unknown, or `location` with the weight of `weight` results.
  /// Counts, mean and variance of the run are kept.
  void restart(std::uint32_t candidate, double location = VariantStatistics::none,
               std::uint64_t weight = 0) noexcept;

  /// The largest change, as a log latency, that a candidate is assumed to have taken part in without a result
  /// of its own: a factor of four.
  static constexpr double moved_max = 1.3862943611198906;

  /// The key's latencies have changed. The candidate is still compared by its earlier results, but cannot
  /// become the incumbent until another result has come.
  void doubt(std::uint32_t candidate) noexcept;

  /// Doubts the candidate, and sets `moved`: its location differs from its own results by `moved` from now
  /// on, until its next result. Replaces what an earlier call said, so that changes do not add up. False, and
  /// nothing is done, beyond `moved_max`.
  bool move(std::uint32_t candidate, double moved) noexcept;

 private:
  /// Calls that a result may take whatever others took.
  static constexpr double delay_usual = 32.0;

  static void displace(VariantStatistics& candidate, double moved) noexcept;
  void confirm_move(std::uint32_t candidate, const Sample& sample) noexcept;
  void update_deviation() noexcept;
  void note_tail(VariantStatistics& candidate, double residual) noexcept;
  void update_tails() noexcept;

  double squares_ = 0.0;  // of clipped residuals, all candidates
  double freedom_ = 0.0;  // how many of them, older ones fading
  double outliers_ = 0.0;
  double delay_ = 0.0;  // the longest of late
  std::uint32_t late_in_a_row_ = 0;
  bool disturbed_ = false;
  double deviation_ = 0.03;
  double exposed_ = 0.0;  // of all candidates together, as theirs
  double tail_outliers_ = 0.0;
  double tail_excess_ = 0.0;  // by how much of their latency the outliers were too long, summed
  bool tails_count_ = false;  // some candidate's tail is not 0
};

}  // namespace adaptive

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <adaptive/belief.hpp>
#include <adaptive/detail/export.hpp>
#include <adaptive/expectations.hpp>
#include <adaptive/learning.hpp>

namespace adaptive::inline v1 {

/// What is known about one candidate of a key. Log latencies are natural logarithms of nanoseconds: on that
/// scale a difference of 0.01 is one percent for every kernel, and the noise of a launch is nearly the same
/// for all variants. Plain data.
struct alignas(64) VariantStatistics {
  /// The value of a log latency that is not known; no number equals it.
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  /// Number of results up to which the location is the mean of the results near their median. With more
  /// results it is a clipped mean.
  static constexpr std::size_t first_count = 5;

  // A comparison of candidates reads the first cache line; a result of this candidate changes the second as
  // well.
  std::uint32_t variant = 0;  ///< index in the operation
  std::uint32_t pending = 0;  ///< timed launches whose result has neither come nor been given up
  std::uint64_t count = 0;    ///< results since the last restart: the weight of `location`
  double location = none;     ///< robust log latency
  double tail = 0.0;          ///< added to `location` for outliers, see `KeyStatistics::objective`
  /// The part of `location` that comes from other candidates: a change of the key's latencies that they have
  /// shown to be common to all. Its absolute value is at most `KeyStatistics::moved_max`.
  double moved = 0.0;
  bool available = true;    ///< false: it failed, or the program disabled it
  bool remembered = false;  ///< no result has come since the key's latencies changed
  bool set_aside = false;   ///< a table of this device and software names a recent failure
  /// Whether the results prove nothing, because all of them may be from a disturbance, or because they
  /// contradict each other.
  enum class Doubt : std::uint8_t {
    none,
    spoiled,  ///< the candidate has to be measured again
    pending   ///< it was measured again; the next result in time tells whether that look was disturbed, too
  };
  Doubt disturbed = Doubt::none;
  std::uint64_t total_count = 0;  ///< results in this run: the weight of `mean_ns`
  double mean_ns = 0.0;           ///< plain mean

  double squares_ns = 0.0;                                      ///< sum of squared deviations from `mean_ns`
  double minimum_ns = std::numeric_limits<double>::infinity();  ///< smallest latency
  double squares = 0.0;   ///< sum of the squares of clipped residuals since the last restart
  double exposed = 0.0;   ///< number of results that could be recognised as outliers; older ones count less
  double outliers = 0.0;  ///< number of outliers among `exposed`
  double launches = 0.0;  ///< estimated number of the key's `calls` that ran it
  double asked_at = 0.0;  ///< the key's `calls` when it was last launched to be timed

  /// Log latency from a table, a neighbour or a prediction, and the standard deviation of its error, without
  /// the error that is common to all candidates. Both are `none` if there is no prior.
  double prior = none;
  double prior_deviation = none;
  std::uint64_t prior_count = 0;            ///< results behind `prior`
  double known_since = 0.0;                 ///< the key's `calls` when the first result came
  double known_at = 0.0;                    ///< the key's `calls` when the latest result came
  double restarted_at = 0.0;                ///< the key's `calls` at the last restart; 0: never
  std::array<double, first_count> first{};  ///< the first log latencies since the last restart
  std::uint64_t failures = 0;               ///< launches reported by `fail`
  std::int64_t failed_at = 0;               ///< time of the latest failure, seconds since 1970

  bool has_prior() const noexcept { return prior == prior; }
  /// The log latency from the candidate's own results alone.
  double own_location() const noexcept { return location - moved; }
  /// Expected cost of a launch as a log latency, by which variants are compared. `none` without results.
  double expected() const noexcept { return location + tail; }
  /// Variance of one latency, in ns²; 0 with fewer than two results.
  double variance_ns() const noexcept {
    return total_count < 2 ? 0.0 : squares_ns / static_cast<double>(total_count - 1);
  }
};

/// One timed result as a policy sees it.
struct Sample {
  std::uint32_t candidate = 0;
  double log_latency = 0.0;  ///< natural logarithm of nanoseconds
  /// Difference from the location before this result; 0 for the first result of a candidate.
  double residual = 0.0;
};

/// Everything that is known about a key; policies decide by it. Candidates are numbered from 0 to size() - 1
/// within the key, in the order in which the operation names them.
///
/// Not thread-safe: the selector holds the key's lock around every use.
class ADAPTIVE_EXPORT KeyStatistics {
 public:
  std::vector<VariantStatistics> candidates;  ///< by number within the key
  std::uint32_t incumbent = 0;                ///< the candidate that pins and saved tables use
  bool settled = false;  ///< the incumbent has been confirmed or promoted, and nothing has re-opened the key
  /// Whether the priors were measured for exactly this key, on this device and with this software.
  bool trusted_prior = false;
  Objective objective = Objective::automatic;  ///< decides what `VariantStatistics::tail` holds
  double calls = 0.0;         ///< estimated number of calls; exact until measurements are sampled
  std::uint64_t results = 0;  ///< timed results in this run

  /// Expectations of the candidates, from other keys and from tables; null unless the policy asks for them
  /// (`Policy::wants_expectations`). Set it with `expect`.
  std::shared_ptr<const Expectations> expectations;

  /// Standard deviation, in log latency, of the error that all priors of the key have in common, for example
  /// because they were measured at another clock frequency or for another shape.
  double prior_offset_deviation = 0.10;

  double indifference = 0.01;  ///< `LearningOptions::indifference`
  double error_chance = 0.01;  ///< `LearningOptions::error`
  /// The candidate to launch first while the key has no results: the incumbent, or what the model of the
  /// operation expects to be the fastest.
  std::uint32_t first_look = 0;

  std::size_t size() const noexcept { return candidates.size(); }
  const VariantStatistics& operator[](std::size_t candidate) const noexcept { return candidates[candidate]; }

  /// Number of launches of a candidate that are still expected to report a result. Before the key's first
  /// result, it is the number of all pending launches. Later it falls to 0 once the latest pending launch is
  /// older than twice the recent maximum delay plus 32 calls.
  std::uint32_t awaited(std::size_t candidate) const noexcept {
    const VariantStatistics& c = candidates[candidate];
    return results == 0 || calls - c.asked_at <= 2.0 * delay_ + delay_usual ? c.pending : 0;
  }

  /// Recent maximum of the number of calls of the key between a launch and its result.
  double delay() const noexcept { return delay_; }

  /// Notes that a result has come `calls_since` calls of the key after its launch.
  void note_delay(double calls_since) noexcept;

  /// Standard deviation of one log latency, pooled over the candidates. It is shrunk towards 3 %, with the
  /// weight of four results, and is never below 0.2 %, the step of the coarsest clock in use on a 30 µs
  /// kernel.
  double deviation() const noexcept { return deviation_; }

  /// Share of the results that lie more than four standard deviations from their location, because of
  /// outliers or contention. The prior is one in a hundred with the weight of 50 results.
  double outlier_share() const noexcept { return (0.5 + outliers_) / (50.0 + freedom_); }

  /// The available candidate with the least expected cost. With `use_priors`, a candidate without results
  /// counts with its prior. The incumbent if nothing is known.
  std::uint32_t leader(bool use_priors = false) const noexcept;

  /// Exchanges the expectations with `to`. `room` must have been prepared for the candidates; it replaces the
  /// present belief, so that nothing is allocated.
  void expect(std::shared_ptr<const Expectations>& to, Belief& room) noexcept;

  /// The belief about the candidates, up to date. Meaningful only with `expectations`.
  const Belief& belief() const noexcept;

  /// Upper bound on the chance that `candidate` is faster than `other` by more than `margin`, a difference of
  /// log latency. It follows from the results of the two alone or from the belief, whichever is more certain.
  /// 1 without `expectations`.
  double chance_faster(std::size_t candidate, std::size_t other, double margin) const noexcept;

  /// Upper estimate of the chance that `count` results of a candidate are all later than its location by
  /// `excess` or more. It follows from the law of all keys, or from this key's own outliers if it has more
  /// than the law predicts. Needs `expectations`.
  double chance_late(double excess, double count) const noexcept;

  /// Variance of one log latency of a candidate. It follows from the candidate's own results and, with the
  /// weight of a few results, from those of all candidates.
  double variance_of(std::size_t candidate) const noexcept;

  /// A counter that rises whenever the belief may have changed noticeably; a further result of a leader that
  /// has many results does not raise it.
  std::uint64_t revision() const noexcept { return revision_; }

  /// How the results of this key scattered, for the law that all keys share.
  struct Scatter {
    double squares = 0.0;                       ///< sum of the squares of the residuals, after clipping
    double freedom = 0.0;                       ///< number of residuals in `squares`
    double exposed = 0.0;                       ///< number of results that could be recognised as late
    std::array<float, NoiseLaw::steps> late{};  ///< number of late results, by the steps of `NoiseLaw::at`
    double repeated = 0.0;                      ///< number of late results right after another late one
    double predicted = 0.0;                     ///< number of first results that had an expectation
    double strange = 0.0;                       ///< number of first results far faster than expected
  };
  Scatter scatter() const noexcept;
  /// The law of noise that follows from `sum`, the scatter of one key or the sum over several keys.
  static NoiseLaw law_of(const Scatter& sum) noexcept;

  /// Number of results that agree with a candidate's location. With more than `first_count` results, it is
  /// the number of all results. Two outliers seldom agree with each other, so that a candidate with few
  /// results counts as slow only if they agree. `cold`: the value of `starts_cold()`, computed once by the
  /// caller for several candidates; if true, first results do not count.
  std::uint64_t agreeing(std::size_t candidate, bool cold) const noexcept;

  /// Whether first results of this key are slow starts (module load, JIT, cache): at least half of the
  /// candidates with several results had a first one far above the rest. A single result then tells nothing.
  bool starts_cold() const noexcept;

  /// Whether the latest results were late: a look would tell nothing before the disturbance is over. False if
  /// they have been late for so long that the key's latencies must have changed.
  bool is_disturbed() const noexcept { return late_in_a_row_ > 0 && late_in_a_row_ <= disturbed_max; }

  /// Extra log cost of a candidate if its outliers were its own; `tail` counts them as its own only beyond
  /// chance. It is 0 once the results of the other candidates show a comparable rate of outliers, and for
  /// objectives other than `Objective::automatic`.
  double tail_if_own(const VariantStatistics& candidate) const noexcept;

  /// Half the width of the confidence sequence of a candidate's location, in log latency. The sequences of
  /// all candidates are valid at all times together with probability 1 - error. Infinite without results.
  /// Source: the normal mixture boundary of Robbins, in the form of Howard, Ramdas, McAuliffe, Sekhon,
  /// "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021), eq.
  /// 14.
  double radius(std::size_t candidate, double error) const noexcept;

  /// Adds a result; `latency_ns` must be above 0. Returns the result as policies see it.
  Sample add(std::uint32_t candidate, double latency_ns) noexcept;

  /// Restarts a candidate: from now on its location is unknown, or it is `location` with the weight of
  /// `weight` results. Counts, mean and variance of the run are kept.
  void restart(std::uint32_t candidate, double location = VariantStatistics::none,
               std::uint64_t weight = 0) noexcept;

  /// The largest change of log latency that a candidate without new results is assumed to share: a factor of
  /// four.
  static constexpr double moved_max = 1.3862943611198906;

  /// Notes that the key's latencies have changed. The candidate is still compared by its earlier results, but
  /// cannot become the incumbent until another result has come.
  void doubt(std::uint32_t candidate) noexcept;

  /// Doubts the candidate and shifts its location from its own results by `moved`, until its next result. The
  /// shift replaces that of an earlier call, so that changes do not add up. Returns false and does nothing if
  /// `moved` is beyond `moved_max`.
  bool move(std::uint32_t candidate, double moved) noexcept;

 private:
  /// Largest number of late results in a row that may still be a passing disturbance.
  static constexpr std::uint32_t disturbed_max = 8;
  /// Number of calls of the key for which a result is awaited in addition to twice the recent maximum delay.
  static constexpr double delay_usual = 32.0;

  static void displace(VariantStatistics& candidate, double moved) noexcept;
  void confirm_move(std::uint32_t candidate, const Sample& sample) noexcept;
  void fade() noexcept;
  void update_deviation() noexcept;
  void note_tail(VariantStatistics& candidate, double residual) noexcept;
  void note_late(double residual) noexcept;
  void follow_disturbance(const Sample& sample, double limit) noexcept;
  void note_late_launch(double residual) noexcept;
  void note_launch_in_time(const Sample& sample, double limit) noexcept;
  void spoil(const Sample& witness, double since, double excess) noexcept;
  void resolve(VariantStatistics::Doubt outcome) noexcept;
  void note_first(std::uint32_t candidate, double log_latency) noexcept;
  bool is_routine(std::uint32_t candidate) const noexcept;
  double score(std::uint32_t candidate) const noexcept;
  std::uint32_t believed_leader() const noexcept;
  void update_tails() noexcept;

  double delay_ = 0.0;          // recent maximum of the delay, in calls of the key
  double tail_outliers_ = 0.0;  // sum of the candidates' `outliers`

  // The members that every result reads or changes are next to each other.
  double squares_ = 0.0;  // sum of the squares of the residuals of all candidates, after clipping
  double freedom_ = 0.0;  // number of these residuals; older ones count less
  double deviation_ = 0.03;
  double outliers_ = 0.0;  // number of residuals that were clipped; older ones count less
  double exposed_ = 0.0;   // sum of the candidates' `exposed`
  std::uint64_t revision_ = 1;
  mutable std::uint32_t latest_leader_ = 0;  // the latest result of `believed_leader`
  std::uint32_t late_in_a_row_ = 0;
  bool late_before_ = false;  // whether the latest result was late
  bool tails_count_ = false;  // whether tails may differ from 0
  // `NoiseLaw::deviation` of `expectations`, copied here to save a cache miss.
  double usual_deviation_ = 0.03;
  Scatter scatter_;  // without `squares` and `freedom`, which are above

  double calm_at_ = 0.0;      // `calls` at the latest result that was not late
  double excess_ = 0.0;       // largest residual (log latency) of the late results since then
  bool pending_ = false;      // whether a candidate's doubt is `pending`
  double tail_excess_ = 0.0;  // sum over the outliers of latency / location - 1
  mutable std::uint64_t believed_revision_ = 0;  // value of `revision_` behind `belief_`
  mutable Belief belief_;
};

}  // namespace adaptive

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <adaptive/latency.hpp>

namespace adaptive::inline v1 {

/// How outliers, that is launches that take far longer than the others, count in a comparison of two
/// variants.
enum class Objective : std::uint8_t {
  /// Outliers count against a variant only as far as it has more of them than the other variants, beyond
  /// chance: a heavy tail of its own makes a variant slower in the mean, while contention hits all variants
  /// alike.
  automatic,
  mean,    ///< every outlier counts against its variant
  robust,  ///< outliers never count
};

/// How sure a promotion has to be, and how much exploration and timing may cost. The defaults suit kernels of
/// 5 µs to 50 ms. The constructor of `Selector` throws `Error` for values out of range.
struct LearningOptions {
  Objective objective = Objective::automatic;
  /// Indifference zone, as a share of the latency, from 0 to below 1. Two variants whose latencies differ by
  /// less are a tie: either may be the incumbent, and no measurement is spent on telling them apart.
  double indifference = 0.01;
  /// Largest probability, above 0 and below 1, that a key ever promotes a variant that is slower than the
  /// best by more than `indifference`. The bound is exact for normal noise; because the estimator is robust,
  /// it holds for real noise as well.
  double error = 0.01;
  /// Minimum number of results, at least 1, before a variant may be promoted or ruled out.
  std::uint32_t samples_min = 2;
  /// Largest share of a key's time that may be lost to variants slower than the leader, from 0 to 1; 1 sets
  /// no limit. The first exploring launch is always allowed, since nothing could be learned otherwise.
  double exploration_budget = 1.0;
  /// Share of a key's time, from 0 to 1, spent on re-measuring idle candidates in case one of them has become
  /// faster, charged at actual cost. With 0, such a change is noticed only by measurements that are made for
  /// other reasons.
  double revalidation_budget = 0.0;
  /// Cost of timing one launch, in nanoseconds, without the launch itself: an event pair on a GPU takes some
  /// microseconds of its stream. With 0, the cost is the one that a timer reports
  /// (`Operation::note_timing_cost`). If no timer reports one, it is the time of two readings of the host's
  /// clock and of the library's calls, which the first selector of a process measures in some 0.2 ms. A
  /// selector without a worker thread (`SelectorOptions::background`) does not measure it, so that its runs
  /// repeat: there, timing counts as free.
  Latency timing_cost = Latency(0);
  /// Largest share of a key's time that timing may cost, from 0 to 1; 1 sets no limit. Exempt from the limit
  /// are the first 4 × candidates + 16 timed launches of a key (16 if a table has measured the key on this
  /// device) and eight results of each new leader. The smaller the share, the later changes of latency are
  /// noticed. If the library measured the cost itself, two rules differ. Fewer launches are exempt if the
  /// launches are short, but at least 2 × candidates + 4 (4 if a table has measured the key). And timing may
  /// take another 2 % of the time of the first calls; this share has halved at the thousandth call of the key
  /// and falls further.
  double timing_budget = 0.0005;
  /// Whether a key that is in no table may start from a prediction if the model of all known keys is more
  /// certain than the nearest neighbour. The model is fitted when tables are loaded, after results are saved
  /// or exchanged, and by `Selector::fit_predictions`; never by a launch.
  bool prediction = true;
  /// Whether a key without a prior, or with one that turns out to be wrong, assumes that variants with
  /// similar parameters have similar latencies. Variants similar to slow ones are then measured late or
  /// never.
  bool parameter_model = true;
  /// Maximum number of candidates to explore if there are priors: the best by prior. 0 sets no limit.
  std::size_t candidates_max = 0;
  /// Number of later timed launches of a key after which a missing result is given up, from 1 to 65,536. Each
  /// key reserves 8 bytes for each of these launches, and at least 128 bytes.
  std::uint32_t result_patience = 512;
  /// Largest number of bytes that a variant may need for a key (`Variant::memory`). Variants that need more
  /// are not run; if all do, those with the least run. `Selector::set_memory_limit` changes the limit of a
  /// running program.
  std::uint64_t memory_limit = no_memory_limit;

  static constexpr std::uint64_t no_memory_limit = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace adaptive

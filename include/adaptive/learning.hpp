#pragma once

#include <cstddef>
#include <cstdint>

#include <adaptive/latency.hpp>

namespace adaptive::inline v1 {

/// What makes one variant better than another where some launches take far longer than the rest.
enum class Objective : std::uint8_t {
  /// Outliers count against a variant as far as it has more of them than the others, beyond chance: a heavy
  /// tail of its own makes a variant slower in the mean, contention meets all variants alike.
  automatic,
  mean,    ///< every outlier counts against the variant that it met
  robust,  ///< outliers never count
};

/// How sure a promotion has to be, and what exploration may cost. The defaults suit kernels of 5 µs to 50 ms.
struct LearningOptions {
  Objective objective = Objective::automatic;
  /// Two variants whose latencies differ by less than this share are a tie: either may be the incumbent, and
  /// no measurement is spent on telling them apart.
  double indifference = 0.01;
  /// Probability that a key ever promotes a variant that is slower than the best by more than `indifference`,
  /// were the noise normal; the estimator is robust so that it holds for real noise too.
  double error = 0.01;
  /// A variant is neither promoted nor ruled out on fewer results.
  std::uint32_t samples_min = 2;
  /// Largest share of a key's time that may be lost to variants slower than the leader; 1 sets no limit. The
  /// first exploring launch is always allowed, or nothing could ever be learned.
  double exploration_budget = 1.0;
  /// Share of a key's time for looking again at variants that nothing else would look at, in case one has
  /// become faster; kept by what the looks really cost. 0: such a change is noticed only by looks that are
  /// due anyway.
  double revalidation_budget = 0.0;
  /// What timing a launch costs the program besides the launch: an event pair on a GPU takes some
  /// microseconds of its stream. 0: nothing worth counting, and `timing_budget` sets no limit.
  Latency timing_cost = Latency(0);
  /// Largest share of a key's time that may go into timing, after its first launches (four for each candidate
  /// and 16, or 16 where a table has measured the key on this device) and eight of each new leader; 1 sets no
  /// limit. Changes are noticed later by as much.
  double timing_budget = 0.0005;
  /// Whether a key that no table knows may start from a model of all that do, where that is surer than its
  /// nearest neighbour. It is fitted when tables are loaded and, to what the run has learned, after that is
  /// saved or exchanged and at `Selector::fit_predictions`; never by a launch.
  bool prediction = true;
  /// Whether a key that starts without any prior, or with one that turns out to be wrong, takes variants with
  /// like parameters to be about as fast as each other, and looks late, or never, at those whose like have
  /// been slow.
  bool parameter_model = true;
  /// Where priors exist, only so many candidates with the best priors are explored; 0: all of them.
  std::size_t candidates_max = 0;
  /// A timed launch whose result has not come within so many later timed launches of its key is given up: 1
  /// to 65,536. Each key reserves 8 bytes for each of them, and for 16 at least.
  std::uint32_t result_patience = 512;
};

}  // namespace adaptive

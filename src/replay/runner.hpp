// Runs a policy against an environment through the public interface, as a program would, on a clock of its
// own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/policy.hpp>
#include "replay/environment.hpp"

namespace adaptive::inline v1::replay {

/// How results travel from the launch to `record`. Delays are in calls, uniform between the two: where they
/// differ, results overtake each other.
struct Delivery {
  std::uint32_t delay_min = 0;
  std::uint32_t delay_max = 0;
  double lost = 0.0;        ///< share of the results that never come
  double duplicated = 0.0;  ///< share of the results that come twice
};

/// What a table says of the key before its first call: the true latencies at the start, each times a
/// lognormal error.
struct SeedTable {
  double error = 0.02;      ///< deviation of the log of each
  double factor = 1.0;      ///< of all: another clock, another device
  bool same_device = true;  ///< whether the table is measured on this one, hence trusted
};

struct KnownOperation;

struct RunOptions {
  PolicyFactory policy = {};  ///< empty: the default one
  /// Its `timing_cost` is also what every timed call costs.
  LearningOptions learning = {};
  Delivery delivery = {};
  std::optional<SeedTable> seeds = {};
  /// What is launched, and a table that knows other keys of it; null: an operation that nobody knows.
  const KnownOperation* known = nullptr;
  std::size_t calls = 1'000;
  /// Numbers of calls at which the overhead is read, ascending.
  std::vector<std::size_t> checkpoints = {};
  /// From which call on the reaction is timed: that of the change.
  std::optional<std::size_t> change_call = {};
  bool keep_choices = false;
};

/// What the tables of replays name as their device.
inline constexpr const char* simulated_device = "simulated";

/// A variant within this share of the best is as good as the best.
inline constexpr double tie = 0.01;

struct Outcome {
  /// At the checkpoints: (Σ true mean of what ran + cost of timing) / Σ least true mean − 1.
  std::vector<double> overhead;
  double overhead_end = 0.0;
  double overhead_realized = 0.0;    ///< the same with the latencies drawn instead of their means
  std::size_t promotions = 0;        ///< changes of the incumbent
  std::size_t wrong_promotions = 0;  ///< to a variant that was more than `tie` slower than the best then
  /// What pins refer to changes more often: it may be the leader before that is sure to be the best.
  std::size_t pin_changes = 0;
  std::size_t wrong_pin_changes = 0;  ///< to a variant that was slower than the one before by more than `tie`
  double timed_share = 0.0;
  std::size_t launched_variants = 0;  ///< how many different ones ran
  double gap_incumbent = 0.0;         ///< at the end, to the best
  double gap_leader = 0.0;            ///< at the end, of what runs between explorations
  /// Calls from the change until 18 of the next 20 ran a variant as good as the best; nothing: never.
  std::optional<std::size_t> reaction;
  std::size_t reaction_timed = 0;  ///< how many of those calls were timed
  Counters counters;
  std::vector<std::uint32_t> choices;  ///< twice the variant, plus 1 where timed
};

/// One key, a selector of its own. The same arguments give the same outcome.
Outcome run(Environment& environment, const RunOptions& options, std::uint64_t seed);

}  // namespace adaptive::replay

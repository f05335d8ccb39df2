// Runs a policy against an environment through the public interface, as a program would, on a clock of its
// own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/key.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/operation.hpp>
#include <adaptive/policy.hpp>
#include "replay/environments/environment.hpp"

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

struct RunOptions {
  PolicyFactory policy = {};  ///< empty: the default one
  /// Its `timing_cost` is also what every timed call costs.
  LearningOptions learning = {};
  Delivery delivery = {};
  std::optional<SeedTable> seeds = {};
  /// Calls of each key in a first run, whose saved table the run starts from; 0: none.
  std::size_t own_table_calls = 0;
  std::size_t calls = 1'000;  ///< of each key
  /// Numbers of calls of each key at which the overhead is read, ascending.
  std::vector<std::size_t> checkpoints = {};
  /// From which call on the reaction is timed: that of the change.
  std::optional<std::size_t> change_call = {};
  bool keep_choices = false;
  /// Whether `Outcome::kept_gap` is wanted. It takes a table on disk.
  bool judge_table = false;
};

/// One key of a run. An environment that changes its keys is the only one of its run.
struct RunKey {
  Environment* environment = nullptr;  ///< outlives the run
  std::size_t operation = 0;           ///< index in `Program::operations`
  Key key = {1};
  std::uint64_t seed = 0;  ///< of the environment
};

/// What a run launches. All calls of all keys come in a random order.
struct Program {
  std::vector<OperationSpec> operations = {};
  std::vector<RunKey> keys = {};
  std::filesystem::path table = {};  ///< loaded before the first call; empty: none
};

/// What the tables of replays name as their device.
inline constexpr const char* simulated_device = "simulated";

/// A variant within this share of the best is as good as the best.
inline constexpr double tie = 0.01;

/// A mean over some of the calls.
struct PartialMean {
  double sum = 0.0;
  std::size_t calls = 0;

  void add(double value) noexcept {
    sum += value;
    ++calls;
  }
  PartialMean& operator+=(const PartialMean& other) noexcept {
    sum += other.sum;
    calls += other.calls;
    return *this;
  }
  double mean() const noexcept { return calls == 0 ? 0.0 : sum / static_cast<double>(calls); }
};

/// How a run did beside programs that always launch one variant, where each call has a key of its own.
struct FixedVariants {
  double overhead_default = 0.0;
  double overhead_best = 0.0;  ///< of the variant with the least one
  std::size_t windows = 0;     ///< of 1,000 calls, all but the first and an incomplete one
  std::size_t windows_behind_default = 0;
};

/// What happened to one key. An overhead is the mean over calls of (true mean of what ran + cost of timing) /
/// true mean of the best, less 1.
struct Outcome {
  std::vector<double> overhead;  ///< at the checkpoints
  double overhead_end = 0.0;
  /// Σ latency of what ran / Σ latency that the best would have had, less 1, of the latencies drawn.
  double overhead_realized = 0.0;
  PartialMean last_half;             ///< overhead in the last half of the run's calls
  PartialMean last_quarter;          ///< overhead in the last quarter
  std::size_t promotions = 0;        ///< changes of the incumbent
  std::size_t wrong_promotions = 0;  ///< to a variant that was slower than the one before by more than `tie`
  double timed_share = 0.0;
  PartialMean late_timed;             ///< timed share of the last tenth of the run's calls
  std::size_t launched_variants = 0;  ///< how many different ones ran
  double gap_incumbent = 0.0;         ///< at the end, to the best
  double gap_leader = 0.0;            ///< at the end, of what runs between explorations
  double promoted = 0.0;              ///< 1 if the incumbent is within `tie` of the best at the end; else 0
  double confirmed = 0.0;             ///< 1 if the selector is sure of it at the end; else 0
  /// Gap to the best of the incumbent that a table saved at the end names, or of the default if it names
  /// none.
  double kept_gap = 0.0;
  /// Calls from the change until 18 of the next 20 ran a variant as good as the best; nothing: never.
  std::optional<std::size_t> reaction;
  bool reaction_awaited = false;       ///< whether there was a change
  std::size_t reaction_timed = 0;      ///< how many of those calls were timed
  std::optional<FixedVariants> fixed;  ///< only of an environment that changes its keys
  Counters counters;                   ///< of the key's operation
  std::vector<std::uint32_t> choices;  ///< twice the variant, plus 1 where timed
};

/// One selector for all keys of the program. Outcomes are in the order of its keys; that of an environment
/// that changes its keys has means over them. The same arguments give the same outcomes. The memory does not
/// grow with the number of calls.
std::vector<Outcome> run(const Program& program, const RunOptions& options, std::uint64_t seed);

/// A program with one operation that has the environment's variants and, unless the environment changes its
/// keys, one key.
Program program_of(Environment& environment, std::uint64_t seed);

/// That program alone.
Outcome run(Environment& environment, const RunOptions& options, std::uint64_t seed);

}  // namespace adaptive::replay

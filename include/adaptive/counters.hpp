#pragma once

#include <array>
#include <cstdint>

namespace adaptive::inline v1 {

/// Counts what has happened to an operation since it was defined, including everything that was dropped.
/// Calls of `select` as such are not counted, since that would be a shared write on the launch path. A copy;
/// plain data.
struct Counters {
  std::uint64_t keys = 0;          ///< keys that have a state of their own
  std::uint64_t keys_refused = 0;  ///< calls of keys beyond `max_keys`: they are served but not learned
  /// Calls of keys without a state that the model of all keys decided: keys that have not come often enough
  /// to get one, or are beyond `max_keys`. The model learns from their results.
  std::uint64_t keys_passing = 0;
  std::uint64_t wrong_arity = 0;        ///< calls whose key has the wrong number of values
  std::uint64_t keys_invalid = 0;       ///< calls whose key has a value that is no label of its dimension
  std::uint64_t unsupported = 0;        ///< keys that no variant supports
  std::uint64_t consulted = 0;          ///< calls for which the policy was asked
  std::uint64_t contended = 0;          ///< calls that found a lock taken and ran the best variant known
  std::uint64_t timed = 0;              ///< decisions whose latency was asked for
  std::uint64_t explored = 0;           ///< decisions for another variant than the leader
  std::uint64_t results = 0;            ///< latencies that entered the statistics
  std::uint64_t results_invalid = 0;    ///< latencies that were not positive, or above 1e18 ns (31 years)
  std::uint64_t results_duplicate = 0;  ///< second latencies of one decision
  std::uint64_t results_expired =
      0;  ///< latencies that came after they had been given up, or after a `reset`
  /// Latencies that could not be stored: the key has no state (it is beyond `max_keys`, it could not be set
  /// up, or another thread was setting it up), its lock stayed taken, or it has no such candidate.
  std::uint64_t results_dropped = 0;
  std::uint64_t results_lost = 0;         ///< latencies that never came and were given up
  std::uint64_t failures = 0;             ///< launches reported by `Operation::fail`
  std::uint64_t promotions = 0;           ///< incumbents replaced by a variant that is surely faster
  std::uint64_t demotions = 0;            ///< incumbents replaced because they became slower
  std::uint64_t exploration_refused = 0;  ///< explorations that the budget did not allow
  /// Answers of a policy that named a candidate which does not exist or is not available. The incumbent ran
  /// instead.
  std::uint64_t choices_invalid = 0;
};

/// What learning has cost an operation and what it has gained, in nanoseconds. Estimates: calls that were not
/// timed count with the latency by which their variant is compared with others, without the outliers that
/// meet all variants alike. `Operation::reset` and a new process begin at zero.
struct Account {
  double calls = 0.0;  ///< calls in modes `online` and `observe` that were not forced
  /// Of these, the calls that `saved_ns` covers: their variant and the key's default both have results.
  double calls_compared = 0.0;
  /// Time by which exploring launches were slower than the leader at that moment. 0 or more.
  double lost_exploring_ns = 0.0;
  /// Time by which `calls_compared` would have taken longer with the default in every call; the cost of
  /// exploring is already subtracted. Negative if the default would have been faster.
  double saved_ns = 0.0;
};

/// What an operation and its keys have come to, for metrics. A copy; plain data.
struct OperationStatus {
  Counters counters = {};
  Account account = {};
  /// Keys that have a state, by how they started: the index is a `MatchKind`.
  std::array<std::uint64_t, 4> keys_by_match{};
  std::uint64_t keys_confirmed = 0;  ///< of these, the keys whose incumbent has been confirmed or promoted
  /// Sum of the latencies that entered the statistics in this process, in nanoseconds; begins at zero again
  /// with `Operation::reset`.
  double timed_ns = 0.0;
};

}  // namespace adaptive

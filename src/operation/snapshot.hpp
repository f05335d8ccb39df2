// Copies what tables and programs read from a run.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/key.hpp>
#include <adaptive/latency.hpp>

namespace adaptive::inline v1::core {

class KeyLearner;
struct OperationParts;

/// What this run has measured of one variant at one key.
struct VariantResults {
  std::uint32_t variant = 0;
  std::uint64_t count = 0;
  double mean_ns = 0.0;
  double variance_ns2 = 0.0;
  double location_ns = 0.0;  ///< robust
  std::uint64_t failures = 0;
  std::int64_t failed_at = 0;  ///< seconds since 1970 of the latest failure
  RecentLatencies recent = {};
};

/// What this run has measured at one key.
struct KeyResults {
  Key key = {};
  std::uint64_t generation = 0;                 ///< how often the program has reset the key
  std::optional<std::uint32_t> incumbent = {};  ///< nothing if there is no result since the latest reset
  std::vector<VariantResults> variants = {};    ///< those with results or failures
};

/// Returns every key that has results or failures of this run, or that this run has reset. Thread-safe.
std::vector<KeyResults> snapshot(const OperationParts& operation);

/// The counters of the operation and its keys. Thread-safe.
Counters count(const OperationParts& operation);

/// The time that the operation has lost and saved in this process. Thread-safe.
Account account(const OperationParts& operation);

/// The counters, the account, and the states of the keys. Thread-safe. Unlike `count` and `account`, it does
/// not keep new keys from being added meanwhile.
OperationStatus status(const OperationParts& operation);

/// What one key has come to, without names, so that a pass over many keys is quick.
struct KeyTotals {
  const KeyLearner* learner = nullptr;  ///< lives as long as the operation
  double calls = 0.0;                   ///< in modes `online` and `observe`, without forced ones
  double time_ns = 0.0;                 ///< estimated time of these calls
  double saved_ns = 0.0;                ///< as in `Account`
  double lost_ns = 0.0;
  std::uint64_t changed = 0;  ///< the epoch of the latest change of the incumbent; 0: it has not changed
};

/// The status of an operation, and the keys of this process behind it.
struct Overview {
  OperationStatus status = {};
  double time_ns = 0.0;  ///< of all keys
  std::vector<KeyTotals> keys = {};
};

/// As `status`, in one pass over the keys, with the same locks.
Overview overview(const OperationParts& operation);

/// What is known of one key, by the indices of variants.
struct KeyStanding {
  std::uint32_t incumbent = 0;
  std::uint32_t leader = 0;
  std::uint32_t by_default = 0;
  double incumbent_ns = 0.0;  ///< robust location; 0 without results
  double leader_ns = 0.0;
  double default_ns = 0.0;
  bool confirmed = false;
  /// A bound from below on the chance that no other variant is faster than the incumbent by more than the
  /// indifference zone. Nothing if the policy has no expectations (`Policy::wants_expectations`).
  std::optional<double> confidence = {};
};

/// Takes the lock of the key.
KeyStanding standing(const KeyLearner& key);

/// The keys that have a state. Thread-safe.
std::vector<Key> keys(const OperationParts& operation);

}  // namespace adaptive::core

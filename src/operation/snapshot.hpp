// Copies what tables and programs read from a run.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/key.hpp>
#include <adaptive/latency.hpp>

namespace adaptive::inline v1::core {

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

/// The keys that have a state. Thread-safe.
std::vector<Key> keys(const OperationParts& operation);

}  // namespace adaptive::core

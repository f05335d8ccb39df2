// Copies what tables and programs read from a run.
#pragma once

#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/key.hpp>
#include "prior/seed.hpp"

namespace adaptive::inline v1::core {

struct OperationParts;

/// Returns every key that has results or failures of this run, or that this run has reset. Thread-safe.
std::vector<SeedEntry> snapshot(const OperationParts& operation);

/// The counters of the operation and its keys. Thread-safe.
Counters count(const OperationParts& operation);

/// The time that the operation has lost and saved in this process. Thread-safe.
Account account(const OperationParts& operation);

/// The keys that have a state. Thread-safe.
std::vector<Key> keys(const OperationParts& operation);

}  // namespace adaptive::core

// What a table, and a program that asks, takes from a run.
#pragma once

#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/key.hpp>
#include "prior/seed.hpp"

namespace adaptive::inline v1::core {

struct OperationParts;

/// Every key of which this run has results or failures, or which it has reset. Thread-safe.
std::vector<SeedEntry> snapshot(const OperationParts& operation);

/// The counters of the operation and its keys. Thread-safe.
Counters count(const OperationParts& operation);

/// The time that the operation has lost and saved in this process. Thread-safe.
Account account(const OperationParts& operation);

/// The keys that have a state. Thread-safe.
std::vector<Key> keys(const OperationParts& operation);

}  // namespace adaptive::core

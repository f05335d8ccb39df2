// Changes that a program makes while it runs: tables, mode, forced and disabled variants, new variants,
// resets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/variant.hpp>
#include "learning/key/key_learner.hpp"
#include "prior/seed.hpp"

namespace adaptive::inline v1::core {

struct OperationParts;

// All functions are thread-safe. The caller must not hold a lock of the operation.

/// Adds entries of tables. With `keep_old`, a key that has an entry already keeps it. Keys that have a state
/// do not start again.
void add_seeds(OperationParts& operation, std::vector<SeedEntry> seeds, bool keep_old);
/// Starts every key again from the tables. Measured results are kept.
void start_from_tables(OperationParts& operation);
/// Publishes the plans of all keys again after a change of the mode.
void publish_plans(OperationParts& operation);

/// Forces `variant` on every key that can run it, until `stop_forcing` is called with the returned number.
/// Throws `Error` if called from a function of the program that the operation has called.
std::uint64_t force(OperationParts& operation, std::uint32_t variant);
void stop_forcing(OperationParts& operation, std::uint64_t number) noexcept;

/// Enables or disables a variant for every key.
void enable(OperationParts& operation, std::uint32_t variant, bool enabled);

/// Lets every key obey the selector's memory limit, after a change of it.
void apply_memory_limit(OperationParts& operation);

/// Appends a variant and returns its index. Throws `Error` if the name is in use or the operation is full, or
/// if called from a function of the program that the operation has called, unless that is
/// `OperationSpec::candidates`.
std::uint32_t add_variant(OperationParts& operation, Variant variant);
/// Returns the index of a variant that a table names. If the operation does not have the variant, the
/// program's `parse` creates it; returns nothing if `parse` cannot.
std::optional<std::uint32_t> parse_variant(OperationParts& operation, const std::string& name,
                                           const Parameters& parameters) noexcept;

/// Forgets what every key has learned. Throws `Error` if called from a function of the program that the
/// operation has called.
void reset(OperationParts& operation, LaunchesOut out);
/// Does the same for one key. Returns false if the key has no state.
bool reset(OperationParts& operation, const Key& key, LaunchesOut out);

}  // namespace adaptive::core

// What a program changes while it runs: tables, mode, forced and disabled variants, new variants, resets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/variant.hpp>
#include "learning/key_learner.hpp"
#include "prior/seed.hpp"

namespace adaptive::inline v1::core {

struct OperationParts;

// All are thread-safe. None may be called with a lock of the operation held.

/// Adds entries of tables; a key that has an entry already keeps it where `keep_old`. Keys that have a state
/// do not begin anew.
void add_seeds(OperationParts& operation, std::vector<SeedEntry> seeds, bool keep_old);
/// Every key begins again where the tables say. What has been measured stays.
void start_from_tables(OperationParts& operation);
/// Publishes the plans of all keys again, after a change of the mode.
void publish_plans(OperationParts& operation);

/// Forces `variant` on every key that can run it, until `stop_forcing` is called with the number returned.
/// Throws `Error` in a function of the program that the operation calls.
std::uint64_t force(OperationParts& operation, std::uint32_t variant);
void stop_forcing(OperationParts& operation, std::uint64_t number) noexcept;

/// Enables or disables a variant for every key.
void enable(OperationParts& operation, std::uint32_t variant, bool enabled);

/// Appends a variant and returns its index. Throws `Error` for a name in use, for one too many, and in a
/// function of the program that the operation calls, unless that is `OperationSpec::candidates`.
std::uint32_t add_variant(OperationParts& operation, Variant variant);
/// The index of a variant that a table names. Where the operation does not have it, the program's `parse`
/// makes it; nothing where that cannot.
std::optional<std::uint32_t> parse_variant(OperationParts& operation, const std::string& name,
                                           const Parameters& parameters) noexcept;

/// Forgets what every key has learned. Throws `Error` in a function of the program that the operation calls.
void reset(OperationParts& operation, LaunchesOut out);
/// The same for one key. False where it has no state.
bool reset(OperationParts& operation, const Key& key);

}  // namespace adaptive::core

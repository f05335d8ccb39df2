// What the measurements of a table's entry prove against the incumbent that it names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "prior/seed.hpp"
#include "table/comparing/proof.hpp"

namespace adaptive::inline v1::core {

using Proof = table::Proof;

/// The variant that the entry's own measurements prove to be faster than its incumbent; the fastest of them
/// (`table::proven_faster`). Only `candidates` count.
std::optional<SeedVariant> proven_faster(const SeedEntry& entry, std::span<const std::uint32_t> candidates,
                                         const Proof& proof);

}  // namespace adaptive::core

// Whether the measurements of a table's entry prove another variant faster than the entry's incumbent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "prior/seed.hpp"
#include "table/comparing/proof.hpp"

namespace adaptive::inline v1::core {

using Proof = table::Proof;

/// Returns the fastest of the `candidates` that the entry's own measurements prove to be faster than its
/// incumbent, or nothing if there is none; see `table::proven_faster`.
std::optional<SeedVariant> proven_faster(const SeedEntry& entry, std::span<const std::uint32_t> candidates,
                                         const Proof& proof);

}  // namespace adaptive::core

// Converts an entry of a table to the indices of an operation.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "prior/seed.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// Converts the entry with the variant indices of `index_of`. Variants without an index are left out. Returns
/// nothing if no variant remains. `trusted` and `source` are not set.
std::optional<core::SeedEntry> seed_of(
    const Key& key, const Entry& entry,
    const std::function<std::optional<std::uint32_t>(const std::string&)>& index_of);

}  // namespace adaptive::table

// From the names of a table's entry to the numbers of an operation.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "prior/seed.hpp"
#include "table/table.hpp"

namespace adaptive::table {

/// The entry with its variants as `index_of` numbers them; those that it does not know are left out. Nothing
/// where none remains. Neither `trusted` nor `source` is set.
std::optional<core::SeedEntry> seed_of(
    const Key& key, const Entry& entry,
    const std::function<std::optional<std::uint32_t>(const std::string&)>& index_of);

}  // namespace adaptive::table

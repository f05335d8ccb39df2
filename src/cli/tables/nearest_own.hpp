// What `lookup --nearest` adds to an answer: the variant of a family of ours that is nearest to it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/mapping/nearest_variant.hpp"
#include "selector/lookup.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

struct NearestRequest {
  std::string family = {};
  std::vector<std::filesystem::path> mappings = {};
  std::string like = {};  ///< the system whose rule found the row; empty: our own rule
};

/// The variant of the family that is nearest to the row that was found, among those of the device that `tune`
/// would use. Rows that belong to the same entry of ours, such as that of the down projection, are looked up
/// too. Throws `Error` if no mapping leads from the family to the operation of the row, the key has no row,
/// or no variant has any of its parameters.
table::formats::NearestVariant nearest_own(const table::Table& table,
                                           const table::formats::LookupRequest& request,
                                           const table::formats::LookupResult& found,
                                           const NearestRequest& wanted);

}  // namespace adaptive::cli

// Finds the declarations of how operations become files of other systems (formats/mapping/mapping.hpp).
#pragma once

#include <filesystem>
#include <vector>

#include "formats/mapping/mapping.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

/// The declarations that come with the tool, then those that the table's operations carry
/// (`OperationSpec::mapping`), then those in the user's own folder (beside the tables:
/// `$XDG_DATA_HOME/adaptive/mappings`), in the folders of `ADAPTIVE_MAPPINGS`, separated by `:`, and the
/// files `own`. A later declaration of an operation replaces an earlier one. Throws `Error` if a file cannot
/// be read.
std::vector<table::formats::OperationMapping> find_mappings(const std::vector<std::filesystem::path>& own,
                                                            const table::Table& table = {});

}  // namespace adaptive::cli

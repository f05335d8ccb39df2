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
/// files `own`. A later declaration of an operation replaces an earlier one. A faulty declaration of the
/// table's is left out with a notice, because it concerns one operation only. Throws `Error` if a file cannot
/// be read.
std::vector<table::formats::OperationMapping> find_mappings(const std::vector<std::filesystem::path>& own,
                                                            const table::Table& table,
                                                            std::vector<table::Notice>& notices);
/// The same without a table.
std::vector<table::formats::OperationMapping> find_mappings(const std::vector<std::filesystem::path>& own);

}  // namespace adaptive::cli

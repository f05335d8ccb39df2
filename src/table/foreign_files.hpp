// Reads and merges the files of other systems that a table keeps. src/formats knows what they mean.
#pragma once

#include <vector>

#include "json/checks.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// A faulty file is left out and gives a notice.
void read_foreign_files(JsonValue value, const Path& path, const Checks& checks,
                        std::vector<ForeignFile>& files);

/// All files of both, sorted by path. If both have a file of the same path, the lesser text stays, so that
/// the order of merges makes no difference.
void merge_foreign_files(std::vector<ForeignFile>& into, const std::vector<ForeignFile>& from);

}  // namespace adaptive::table

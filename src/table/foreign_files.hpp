// The files of other systems that a table keeps: reading and merging them. What they mean: formats/.
#pragma once

#include <vector>

#include "json/checks.hpp"
#include "table/table.hpp"

namespace adaptive::table {

/// A file that is faulty is left out, with a notice.
void read_foreign_files(JsonValue value, const Path& path, const Checks& checks,
                        std::vector<ForeignFile>& files);

/// All files of both, sorted by path. Of two texts of one path the smaller stays, so that no order of merging
/// makes a difference.
void merge_foreign_files(std::vector<ForeignFile>& into, const std::vector<ForeignFile>& from);

}  // namespace adaptive::table

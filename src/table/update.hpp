// Changes a table that other processes may change at the same time.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include "files/file_lock.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// Reads the table at `path` (a missing or empty file is an empty table), calls `change`, and replaces the
/// table if `change` returns true. All this happens under the table's lock, so that no other update is lost.
/// Returns the notices from reading, and a notice if the file system has no locks.
///
/// Throws `Error` if the table cannot be read, locked or replaced; the table is then unchanged.
std::vector<Notice> update(const std::filesystem::path& path, const std::function<bool(Table&)>& change,
                           std::chrono::milliseconds wait_max = FileLock::wait_default);

}  // namespace adaptive::table

// Changing a table that other processes change too.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include "files/file_lock.hpp"
#include "table/table.hpp"

namespace adaptive::table {

/// Reads the table at `path` (an empty one where there is no file, or an empty file), lets `change` work on
/// it, and replaces it if `change` returns true; all under the table's lock, so that no other update is lost.
/// Returns what was noticed on reading, and about the lock.
///
/// Throws `Error` where the table cannot be read, locked or replaced; it is then as it was.
std::vector<Notice> update(const std::filesystem::path& path, const std::function<bool(Table&)>& change,
                           std::chrono::milliseconds wait_max = FileLock::wait_default);

}  // namespace adaptive::table

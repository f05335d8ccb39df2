#include "table/update.hpp"

#include <system_error>
#include <utility>

namespace adaptive::inline v1::table {

std::vector<Notice> update(const std::filesystem::path& path, const std::function<bool(Table&)>& change,
                           std::chrono::milliseconds wait_max) {
  const FileLock lock(path, wait_max);
  std::error_code error;
  const bool exists =
      std::filesystem::exists(path, error) &&
      !(std::filesystem::is_regular_file(path, error) && std::filesystem::file_size(path, error) == 0);
  ReadResult read;
  if (exists) read = table::read(path);
  if (!lock.held())
    read.notices.push_back(
        {path.string(), "its file system does not support locks: updates of other processes may be lost"});
  else if (is_remote(path))
    read.notices.push_back(
        {path.string(),
         "is on a network file system, whose locks may not work between hosts; share through a "
         "server, or give each host a table of its own and merge them",
         LogLevel::info});
  if (change(read.table)) write(read.table, path);
  return std::move(read.notices);
}

}  // namespace adaptive::table

// One writer at a time for a table, among processes and threads.
#pragma once

#include <chrono>
#include <filesystem>

#include "files/file_descriptor.hpp"

namespace adaptive::table {

/// Holds the lock of a file from its construction to its destruction.
///
/// It is `flock` on ".NAME.lock" beside the file. The kernel gives it back when its holder ends, however that
/// ends, so that a lock can never be stale: a lock file that a killed process has left is taken over at once.
/// The file is removed by its last holder. It says who holds it, for messages.
class FileLock {
 public:
  static constexpr std::chrono::seconds wait_default{30};

  /// Waits for other holders. Throws `Error` where that takes longer than `wait_max`, with the process that
  /// holds it, or where no lock file can be made. A file system that knows no locks gives a lock that is not
  /// held.
  explicit FileLock(const std::filesystem::path& file, std::chrono::milliseconds wait_max = wait_default);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  bool held() const noexcept { return held_; }

 private:
  bool try_lock(const std::filesystem::path& file);

  std::filesystem::path path_;
  FileDescriptor descriptor_{-1};
  bool held_ = false;
};

/// Whether the file, or its folder, lies on a file system of another host, where locks hold only as far as
/// that host, the mount options and all clients agree.
bool is_remote(const std::filesystem::path& file) noexcept;

}  // namespace adaptive::table

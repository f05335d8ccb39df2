// Allows one writer of a table at a time, among all processes and threads.
#pragma once

#include <chrono>
#include <filesystem>

#include "files/file_descriptor.hpp"

namespace adaptive::inline v1::table {

/// Holds the lock of a file from its construction to its destruction.
///
/// The lock is `flock` on ".NAME.lock" beside the file. The kernel releases it when its holder ends, even if
/// the holder crashes, so a lock is never stale: the next process takes over a lock file that a killed
/// process has left. The last holder removes the lock file. The lock file contains the name of its holder,
/// for messages.
class FileLock {
 public:
  static constexpr std::chrono::seconds wait_default{30};

  /// Waits up to `wait_max` for other holders. Throws `Error`, which names the holder, if the wait takes
  /// longer, and `Error` if no lock file can be created. If the file system has no locks, the constructor
  /// returns at once and `held` is false.
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

/// Whether the file, or its folder, lies on a network file system. Locks there work only if the server, the
/// mount options and all clients support them.
bool is_remote(const std::filesystem::path& file) noexcept;

}  // namespace adaptive::table

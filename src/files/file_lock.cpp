#include "files/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include <adaptive/error.hpp>

#include "base/device/host_name.hpp"
#include "files/atomic_file.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;

fs::path lock_path(const fs::path& file) {
  const fs::path target = resolve_links(file);
  return target.parent_path() / ("." + target.filename().string().substr(0, 200) + ".lock");
}

// "process 17 on host", for messages only.
std::string holder_text() {
  return "process " + std::to_string(::getpid()) + " on " + core::host_name();
}

std::string read_holder(int file) {
  std::array<char, 320> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  return size <= 0 ? "another process" : std::string(text.data(), static_cast<std::size_t>(size));
}

// Explains why no lock file can be created in `folder`. An empty path means the current folder.
Error failure(const fs::path& file, const fs::path& folder, int error) {
  const std::string where = folder.empty() ? "the current folder" : folder.string();
  if (error == EACCES || error == EPERM || error == EROFS)
    return Error(ErrorCode::denied, "cannot be written: no permission to create a lock file in " + where,
                 file.string(), "choose a writable folder or set ADAPTIVE_TABLES");
  if (error == ENOENT)
    return Error(ErrorCode::not_found, "cannot be written: the folder " + where + " does not exist",
                 file.string(), "create it");
  return system_error("cannot be written: no lock file can be created in " + where, file, error);
}

bool is_same_file(int file, const fs::path& path) {
  struct stat opened {};
  struct stat there {};
  return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &there) == 0 && opened.st_ino == there.st_ino &&
         opened.st_dev == there.st_dev;
}

}  // namespace

FileLock::FileLock(const fs::path& file, std::chrono::milliseconds wait_max) : path_(lock_path(file)) {
  constexpr std::chrono::milliseconds pause_max{20};
  const auto give_up = std::chrono::steady_clock::now() + wait_max;
  std::chrono::milliseconds pause{1};
  while (!try_lock(file)) {
    if (std::chrono::steady_clock::now() >= give_up)
      throw Error(ErrorCode::locked, "is locked by " + read_holder(descriptor_.get()), file.string(),
                  "wait until it has finished, or end it");
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, pause_max);
  }
}

// True if the lock is held, or if the file system has no locks.
bool FileLock::try_lock(const fs::path& file) {
  constexpr mode_t mode = 0666;  // everyone who may write the folder may lock; the umask applies
  descriptor_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!descriptor_) {
    const int error = errno;
    throw failure(file, path_.parent_path(), error);
  }
  if (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK && errno != EINTR;
  // The last holder may have removed the file between the two calls. Then another file is the lock now.
  if (!is_same_file(descriptor_.get(), path_)) return false;
  held_ = true;
  const std::string holder = holder_text();
  if (::ftruncate(descriptor_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t ignored = ::pwrite(descriptor_.get(), holder.data(), holder.size(), 0);
  }
  return true;
}

FileLock::~FileLock() {
  if (held_) ::unlink(path_.c_str());
}

bool is_remote(const fs::path& file) noexcept {
  // From linux/magic.h and the sources of the file systems. FUSE may be local, but is often remote.
  constexpr std::array<unsigned long, 10> remote = {0x6969,       // NFS
                                                    0x517B,       // SMB
                                                    0xFF534D42,   // CIFS
                                                    0xFE534D42,   // SMB2
                                                    0x5346414F,   // AFS
                                                    0x73757245,   // Coda
                                                    0x00C36400,   // Ceph
                                                    0x0BD00BD0,   // Lustre
                                                    0x01021997,   // 9P
                                                    0x65735546};  // FUSE
  struct statfs status {};
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (::statfs(file.c_str(), &status) != 0 && ::statfs(folder.c_str(), &status) != 0) return false;
  const auto type = static_cast<unsigned long>(status.f_type) & 0xFFFFFFFFul;
  return std::find(remote.begin(), remote.end(), type) != remote.end();
}

}  // namespace adaptive::table

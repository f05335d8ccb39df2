#include "files/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <adaptive/error.hpp>

#include "files/file_descriptor.hpp"
#include "files/file_lock.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

constexpr const char* temporary_ending = ".tmp";

// Cuts long names, so that the temporary file's name is no longer than a file system allows.
std::string temporary_prefix(const fs::path& target) {
  return "." + target.filename().string().substr(0, 200) + ".";
}

// A temporary file is locked while its writer lives. The lock distinguishes it from a file that a killed
// writer has left, even if process numbers cannot do so, as in containers. Returns false if another process
// has already taken the file for such a leftover.
bool keep_from_removal(int file) {
  struct stat status {};
  if (::flock(file, LOCK_EX | LOCK_NB) != 0)
    return errno != EWOULDBLOCK;  // without locks nobody removes leftovers
  return ::fstat(file, &status) == 0 && status.st_nlink > 0;
}

// Removes the files that killed writers of the same file have left. Not on network file systems, where one
// host may not see the locks of another.
void remove_leftovers(const fs::path& target) {
  if (is_remote(target)) return;
  const std::string prefix = temporary_prefix(target);
  std::error_code error;
  for (fs::directory_iterator entry(folder_of(target), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(temporary_ending)) continue;
    const std::string middle =
        name.substr(prefix.size(), name.size() - prefix.size() - std::string_view(temporary_ending).size());
    if (middle.empty() || middle.find_first_not_of("0123456789.") != std::string::npos) continue;
    const FileDescriptor file(::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
  }
}

// A temporary file. The destructor removes it unless it has been renamed.
class Temporary {
 public:
  Temporary(const fs::path& target, const fs::path& asked_for)
      : path_(), file_(open(target, asked_for, path_)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!renamed_) ::unlink(path_.c_str());
  }

  FileDescriptor& file() noexcept { return file_; }
  int rename_to(const fs::path& target) noexcept {
    const int result = std::rename(path_.c_str(), target.c_str());
    renamed_ = result == 0;
    return result;
  }

 private:
  static int open(const fs::path& target, const fs::path& asked_for, fs::path& path) {
    static std::atomic<unsigned> counter{0};
    constexpr mode_t mode_new = 0644;  // the umask applies
    constexpr int attempts_max = 100;
    for (int i = 0; i < attempts_max; ++i) {
      path = folder_of(target) / (temporary_prefix(target) + std::to_string(::getpid()) + "." +
                                  std::to_string(counter.fetch_add(1)) + temporary_ending);
      const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_new);
      if (number >= 0) {
        if (keep_from_removal(number)) return number;
        ::close(number);
        continue;
      }
      // The name is taken: by a crashed process with this number, or by a process on another host.
      if (errno != EEXIST) break;
    }
    const int error = errno;
    throw system_error("cannot be written: no temporary file in " + folder_of(target).string(), asked_for,
                       error);
  }

  fs::path path_;
  FileDescriptor file_;
  bool renamed_ = false;
};

void write_all(int file, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    constexpr std::size_t piece_max = std::size_t{1} << 30;  // one call writes at most 2 GiB
    const ssize_t written = ::write(file, text.data(), std::min(text.size(), piece_max));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("cannot be written", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

// std::filesystem::canonical requires that the file exists.
fs::path resolve_links(const fs::path& path) {
  constexpr int links_max = 40;  // the kernel's limit
  fs::path target = path;
  for (int i = 0; i < links_max; ++i) {
    std::error_code error;
    if (fs::symlink_status(target, error).type() != fs::file_type::symlink) return target;
    const fs::path next = fs::read_symlink(target, error);
    if (error) throw system_error("cannot be written", path, error.value());
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  throw system_error("cannot be written", path, ELOOP);
}

void write_atomically(const fs::path& path, std::string_view text) {
  const fs::path target = resolve_links(path);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode))
    throw Error(ErrorCode::invalid_argument, "is a folder, not a file", path.string(), "name a file in it");
  // Renaming over a device or a pipe would destroy it.
  if (exists && !S_ISREG(old.st_mode))
    throw Error(ErrorCode::invalid_argument, "is not a regular file", path.string());

  remove_leftovers(target);
  Temporary temporary(target, path);
  const int file = temporary.file().get();
  if (exists) {
    // May fail: only root can give a file to another user.
    [[maybe_unused]] const int ignored = ::fchown(file, old.st_uid, old.st_gid);
    if (::fchmod(file, old.st_mode & 07777) != 0) throw system_error("cannot be written", path, errno);
  }
  write_all(file, text, path);
  if (::fsync(file) != 0) throw system_error("cannot be written", path, errno);
  // The file stays open until it has its final name. If it were closed, another writer could take it for a
  // leftover.
  if (temporary.rename_to(target) != 0) throw system_error("cannot be replaced", path, errno);

  // The rename itself must reach the disk too. Some file systems cannot sync a folder; this is not an error.
  const FileDescriptor folder(::open(folder_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder && ::fsync(folder.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    throw system_error("is written, but may not survive a power failure", path, errno);
}

}  // namespace adaptive::table

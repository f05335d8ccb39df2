#include "watch/audit_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include <adaptive/error.hpp>
#include "files/file_descriptor.hpp"
#include "files/file_lock.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::watch {
namespace {

namespace fs = std::filesystem;
using table::FileDescriptor;
using table::FileLock;
using table::system_error;

constexpr std::chrono::seconds lock_wait_max{5};

fs::path rotated_path(const fs::path& file, std::uint32_t number) {
  return file.string() + "." + std::to_string(number);
}

// Makes room for a new file: FILE becomes FILE.1, FILE.1 becomes FILE.2 and so on; the oldest goes.
void rotate(const AuditOptions& audit) {
  std::error_code error;  // of a file that is not there
  fs::path oldest = audit.files_max == 0 ? audit.file : rotated_path(audit.file, audit.files_max);
  fs::remove(oldest, error);
  for (std::uint32_t i = audit.files_max; i > 1; --i)
    fs::rename(rotated_path(audit.file, i - 1), rotated_path(audit.file, i), error);
  if (audit.files_max == 0) return;
  fs::rename(audit.file, rotated_path(audit.file, 1), error);
  if (error && error != std::errc::no_such_file_or_directory)
    throw system_error("cannot be rotated", audit.file, error.value());
}

int open_to_append(const fs::path& file) {
  constexpr mode_t mode = 0666;  // the umask applies
  const int opened = ::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, mode);
  if (opened < 0) throw system_error("cannot be opened", file, errno);
  return opened;
}

std::uint64_t size_of(const FileDescriptor& file) {
  struct stat status {};
  return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool ends_inside_a_line(const FileDescriptor& file, std::uint64_t size) {
  char last = '\n';
  return size > 0 && ::pread(file.get(), &last, 1, static_cast<off_t>(size - 1)) == 1 && last != '\n';
}

void write_all(const FileDescriptor& file, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("cannot be written", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void append(const AuditOptions& audit, std::string_view lines) {
  const FileLock lock(audit.file, lock_wait_max);
  FileDescriptor file(open_to_append(audit.file));
  std::uint64_t size = size_of(file);
  if (size > 0 && size + lines.size() > audit.bytes_max) {
    rotate(audit);
    file = FileDescriptor(open_to_append(audit.file));
    size = size_of(file);
  }
  if (ends_inside_a_line(file, size)) write_all(file, "\n", audit.file);
  write_all(file, lines, audit.file);
  // A pipe or a device cannot be made durable, and need not be.
  if (::fdatasync(file.get()) != 0 && errno != EINVAL && errno != EROFS)
    throw system_error("cannot be made durable", audit.file, errno);
}

}  // namespace adaptive::watch

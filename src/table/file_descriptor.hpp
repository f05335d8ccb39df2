#pragma once

#include <unistd.h>

#include <utility>

namespace adaptive::table {

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }

  explicit operator bool() const noexcept { return number_ >= 0; }
  int get() const noexcept { return number_; }
  /// What `close` returns: with some file systems, where a write that seemed to work reports its failure.
  int close() noexcept { return ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

}  // namespace adaptive::table

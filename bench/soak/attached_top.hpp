// `adaptive top` on a terminal of its own, as an operator leaves it open.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

#include "files/file_descriptor.hpp"

namespace adaptive::bench {

/// Runs `adaptive top` until it is stopped. Not thread-safe.
class AttachedTop {
 public:
  /// `tool` is the program `adaptive`. Throws `std::runtime_error` if it cannot be started.
  AttachedTop(const std::filesystem::path& tool, const std::filesystem::path& sockets);
  AttachedTop(const AttachedTop&) = delete;
  AttachedTop& operator=(const AttachedTop&) = delete;
  ~AttachedTop();

  /// Reads what the tool draws, which would otherwise wait for its terminal, until `end`.
  void watch(std::chrono::steady_clock::time_point end);
  /// How often the screen was drawn.
  std::size_t screens() const noexcept { return screens_; }
  /// Lets the tool quit by its key, and returns the processor time that it has taken. Throws
  /// `std::runtime_error` if the tool has failed.
  std::chrono::duration<double> stop();

 private:
  table::FileDescriptor terminal_;
  pid_t process_ = -1;
  std::size_t screens_ = 0;
};

}  // namespace adaptive::bench

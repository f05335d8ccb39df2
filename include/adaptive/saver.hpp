#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <adaptive/detail/export.hpp>
#include <adaptive/selector.hpp>

namespace adaptive {

struct SaverOptions {
  /// The table. Other processes may save to the same one.
  std::filesystem::path path = {};
  /// Between two saves; nothing is written where nothing has been measured since. A save that fails is tried
  /// again after the next interval.
  std::chrono::milliseconds interval = std::chrono::minutes(1);
};

/// Saves what a selector learns while the program runs: every interval, when asked to, and at its own end.
/// One thread, which takes no lock of the launch path for longer than it takes to copy a key's statistics.
///
/// A program that is killed loses what it has measured since the last save and nothing else. One that is told
/// to end by a signal keeps all of it:
///
///     adaptive::Saver saver(selector, {.path = "adapted.json"});
///     std::signal(SIGUSR1, [](int) { saver_of_the_program->request(); });
///
/// and for SIGTERM, return from main, or destroy the saver in any other way.
///
/// Every member is thread-safe. It must be destroyed before its selector, and made after the program has
/// forked.
class ADAPTIVE_EXPORT Saver {
 public:
  struct Status {
    std::uint64_t saved = 0;
    std::uint64_t unchanged = 0;  ///< times at which there was nothing new to save
    std::uint64_t failed = 0;
    std::string error = {};  ///< of the last save, where it failed; it also went to the selector's log
  };

  /// Throws `Error` where the path is empty or the interval is not positive; whether the path can be written
  /// shows at the first save.
  Saver(const Selector& selector, SaverOptions options);
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;
  /// Saves once more.
  ~Saver();

  /// Asks for a save soon. Safe in a signal handler.
  void request() noexcept;
  /// Saves now, in the calling thread, whatever has changed. Throws `Error` as `Selector::save` does.
  void save();

  Status status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adaptive

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <adaptive/detail/export.hpp>
#include <adaptive/selector.hpp>
#include <adaptive/store.hpp>

namespace adaptive::inline v1 {

/// Where and how often a `Saver` saves.
struct SaverOptions {
  /// Path of the table. Other processes may save to the same one. Empty: no table, only the store.
  std::filesystem::path path = {};
  /// Where processes share what they measure (see Store). Empty: nothing is shared.
  std::shared_ptr<Store> store = {};
  /// Time between two saves, and between two exchanges with the store: 1 ms to a year. Nothing is written if
  /// nothing has been measured since the last time. A save that fails is tried again after the next interval.
  std::chrono::milliseconds interval = std::chrono::minutes(1);
};

/// Saves what a selector learns while the program runs: after every interval, on request, and when the saver
/// is destroyed. It has one thread, which holds a lock of the launch path only for as long as it takes to
/// copy the statistics of one key.
///
/// A program that is killed loses only what it has measured since the last save. A program that handles the
/// signal loses nothing:
///
///     adaptive::Saver saver(selector, {.path = "adapted.json"});
///     std::signal(SIGUSR1, [](int) { saver_of_the_program->request(); });
///
/// For SIGTERM, the program returns from main or destroys the saver in another way.
///
/// After a save or an exchange that has brought much news, a fit of predictions is due (`Selector::learn`).
///
/// With a store, every process publishes its own statistics by key and takes up those of the other processes:
/// keys that this run has not seen yet start from them, and they are saved together with its own. Processes
/// that have seen the same records have the same statistics, whatever the order. While the store cannot be
/// reached, the run continues alone. The saver tries the store again after 1, 2, 4, … 32 intervals, at every
/// `request()` and when it is destroyed; the store then receives everything that it lacks.
///
/// Every member is thread-safe. It must be destroyed before its selector, and made after the program has
/// forked.
class ADAPTIVE_EXPORT Saver {
 public:
  /// What the saver has done so far.
  struct Status {
    std::uint64_t saved = 0;             ///< tables written
    std::uint64_t unchanged = 0;         ///< times at which there was nothing new to save
    std::uint64_t failed = 0;            ///< saves that failed
    std::string error = {};              ///< text of the last save's error if it failed; the log has it too
    std::uint64_t exchanged = 0;         ///< successful exchanges with the store
    std::uint64_t exchanges_failed = 0;  ///< exchanges that failed; the log has the first of each outage
  };

  /// Starts the saver's thread. Throws `Error` if there is neither a path nor a store, or the interval is out
  /// of range. A path that cannot be written is reported by the first save.
  Saver(Selector& selector, SaverOptions options);
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;
  /// Exchanges and saves once more, so that everything recorded before is in the store and in the table.
  /// Waits for an exchange or a save that is running and then for the last ones; with a store that does not
  /// answer, for as long as the store's time limit. A failure goes to the selector's log.
  ~Saver();

  /// Requests an exchange and a save soon, even if the next attempt to reach the store is not due yet.
  /// Returns at once. Safe in a signal handler.
  void request() noexcept;
  /// Saves the table now, in the calling thread, even if nothing has changed. Throws `Error` as
  /// `Selector::save` does, and if the saver has no path.
  void save();

  [[nodiscard]] Status status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adaptive

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

struct SaverOptions {
  /// The table. Other processes may save to the same one. Empty: none, only the store.
  std::filesystem::path path = {};
  /// Where processes share what they measure (see Store). Empty: nothing is shared.
  std::shared_ptr<Store> store = {};
  /// Between two saves, and two exchanges with the store; nothing is written where nothing has been measured
  /// since. A save that fails is tried again after the next interval.
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
/// Saves and exchanges make a fit of predictions due where much more is known by then (`Selector::learn`).
///
/// With a store, every process publishes its own statistics there by key, and takes up the others': they are
/// the start of keys that this run has not seen yet, and are saved with its own. All processes that have seen
/// the same have the same statistics, whatever the order. While the store cannot be reached the run goes on
/// by itself. The saver tries the store again after 1, 2, 4, … 32 intervals, at every `request()` and at its
/// own end, and the store then gets all that it lacks.
///
/// Every member is thread-safe. It must be destroyed before its selector, and made after the program has
/// forked.
class ADAPTIVE_EXPORT Saver {
 public:
  struct Status {
    std::uint64_t saved = 0;
    std::uint64_t unchanged = 0;  ///< times at which there was nothing new to save
    std::uint64_t failed = 0;
    std::string error = {};       ///< of the last save, where it failed; it also went to the selector's log
    std::uint64_t exchanged = 0;  ///< with the store
    std::uint64_t exchanges_failed = 0;  ///< store not reached; the log has the first of each outage
  };

  /// Throws `Error` where there is neither path nor store, or the interval is not positive; whether the path
  /// can be written shows at the first save.
  Saver(Selector& selector, SaverOptions options);
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;
  /// Exchanges and saves once more, so that everything recorded before the call is in the store and in the
  /// table. Waits for an exchange or a save that is running, and then for the last ones: with a store that
  /// does not answer, for as long as the store's time limit. A failure goes to the selector's log.
  ~Saver();

  /// Asks for an exchange and a save soon, also where the next attempt to reach the store is not due yet.
  /// Safe in a signal handler.
  void request() noexcept;
  /// Saves the table now, in the calling thread, whatever has changed. Throws `Error` as `Selector::save`
  /// does.
  void save();

  [[nodiscard]] Status status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adaptive

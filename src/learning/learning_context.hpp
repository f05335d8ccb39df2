// What all keys of a selector share.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string_view>

#include <adaptive/device.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/log.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/policy.hpp>
#include "learning/change_sink.hpp"
#include "learning/worker.hpp"

namespace adaptive::inline v1::core {

/// The atomics may change at any time, from any thread; everything else is set before the first operation is
/// defined.
struct LearningContext {
  Fingerprint device;
  std::atomic<Mode> mode{Mode::online};
  std::atomic<std::uint64_t> epoch{0};
  /// Bytes that a variant may need for a key (`Selector::set_memory_limit`).
  std::atomic<std::uint64_t> memory_limit{LearningOptions::no_memory_limit};
  std::uint64_t seed = 0;
  LearningOptions learning;
  bool rank_consistent = false;  // `SelectorOptions::rank_consistent`: ranks have to agree
  PolicyFactory policy;          // makes the policy of a key
  LogCallback log;
  ChangeSink* changes = nullptr;        // receives changes of incumbents; may be null
  std::function<std::int64_t()> clock;  // seconds since 1970; empty: the system's clock
  Worker worker;
  bool background = true;  // whether the worker may have a thread
  /// The cost of timing a launch with the host's clock; 0 if it was not measured: timing is then free.
  double host_timing_cost_ns = 0.0;

  /// Allows or ends the worker's thread. The worker has a thread in the modes that learn, and in every mode
  /// if it has to pass changes on. To be called after a change of the mode.
  void allow_worker() noexcept {
    const Mode now = running_mode();
    worker.allow(background && (now == Mode::online || now == Mode::observe || changes != nullptr));
  }

  /// The mode that calls follow. If ranks have to agree, `online` becomes `observe`, which only watches, and
  /// `frozen` becomes `seed`, which runs what the tables say.
  Mode running_mode() const noexcept {
    const Mode asked = mode.load(std::memory_order_relaxed);
    if (!rank_consistent) return asked;
    return asked == Mode::online ? Mode::observe : asked == Mode::frozen ? Mode::seed : asked;
  }

  /// Returns the epoch that begins with a change of an incumbent. If ranks have to agree, only the program
  /// begins epochs: then this is the present epoch.
  std::uint64_t next_epoch() noexcept {
    return rank_consistent ? epoch.load(std::memory_order_relaxed)
                           : epoch.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  /// Seconds since 1970. May call the program's clock: the caller must not hold a key's lock.
  std::int64_t now() const noexcept {
    try {
      if (clock) return clock();
    } catch (...) {
      // The program's clock must not throw, but did: use the system's clock.
    }
    return static_cast<std::int64_t>(std::time(nullptr));
  }

  /// Passes a line to the program's log callback or, if there is none, to stderr; `kind` as in
  /// `log_to_stderr`. May call the program: the caller must not hold a key's lock.
  void say(LogLevel level, std::string_view line, std::string_view kind = {}) const noexcept {
    if (!log) return log_to_stderr(level, line, kind);
    try {
      log(level, line);
    } catch (...) {
      // The program's callback must not throw, but did: the line is lost, the launch continues.
    }
  }
};

}  // namespace adaptive::core

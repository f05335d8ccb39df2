// What all keys of a selector have in common.
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
  std::uint64_t seed = 0;
  LearningOptions learning;
  bool rank_consistent = false;  // `SelectorOptions::rank_consistent`: ranks have to agree
  PolicyFactory policy;          // makes the policy of a key
  LogCallback log;
  ChangeSink* changes = nullptr;        // receives changes of incumbents; null: nobody watches
  std::function<std::int64_t()> clock;  // seconds since 1970; empty: the system's clock
  Worker worker;
  bool background = true;  // whether the worker may have a thread
  /// The cost of timing a launch with the host's clock; 0: it was not measured, and does not count.
  double host_timing_cost_ns = 0.0;

  /// Lets the worker have a thread in the modes that learn, and in all modes where it has to pass changes on.
  /// To be called after a change of the mode.
  void allow_worker() noexcept {
    const Mode now = running_mode();
    worker.allow(background && (now == Mode::online || now == Mode::observe || changes != nullptr));
  }

  /// The mode that calls follow. Where ranks have to agree, mode `online` only watches, as `observe` does,
  /// and `frozen` runs what the tables say, as `seed` does.
  Mode running_mode() const noexcept {
    const Mode asked = mode.load(std::memory_order_relaxed);
    if (!rank_consistent) return asked;
    return asked == Mode::online ? Mode::observe : asked == Mode::frozen ? Mode::seed : asked;
  }

  /// The epoch that begins with a change of an incumbent. Where ranks have to agree, only the program begins
  /// an epoch, and this is the present one.
  std::uint64_t next_epoch() noexcept {
    return rank_consistent ? epoch.load(std::memory_order_relaxed)
                           : epoch.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  /// Seconds since 1970. May call the program: no key's lock may be held.
  std::int64_t now() const noexcept {
    try {
      if (clock) return clock();
    } catch (...) {
      // The program's clock has thrown, against its contract: the system's clock takes its place.
    }
    return static_cast<std::int64_t>(std::time(nullptr));
  }

  /// Gives a line to the program's callback, or to stderr where there is none; `kind` as in `log_to_stderr`.
  /// May call the program: no key's lock may be held.
  void say(LogLevel level, std::string_view line, std::string_view kind = {}) const noexcept {
    if (!log) return log_to_stderr(level, line, kind);
    try {
      log(level, line);
    } catch (...) {
      // The program's callback has thrown, against its contract: the line is lost, and the launch goes on.
    }
  }
};

}  // namespace adaptive::core

// What the operations of a selector have in common.
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
#include "learning/worker.hpp"
#include "prior/predictor.hpp"

namespace adaptive::inline v1::core {

struct Shared {
  Fingerprint device;
  std::atomic<Mode> mode{Mode::online};
  std::atomic<std::uint64_t> epoch{0};
  std::uint64_t seed = 0;
  LearningOptions learning;
  bool rank_consistent = false;
  PolicyFactory policy;
  PredictorFactory predictor = nullptr;  // null: nothing is predicted
  LogCallback log;
  std::function<std::int64_t()> clock;  // empty: the system's
  Worker worker;
  bool background = true;  // whether its thread may run

  /// The thread runs where there is something to learn.
  void allow_worker() noexcept {
    const Mode now = running_mode();
    worker.allow(background && (now == Mode::online || now == Mode::observe));
  }

  /// What calls go by: where ranks have to agree, online learning may watch and nothing more.
  Mode running_mode() const noexcept {
    const Mode asked = mode.load(std::memory_order_relaxed);
    if (!rank_consistent) return asked;
    return asked == Mode::online ? Mode::observe : asked == Mode::frozen ? Mode::seed : asked;
  }

  /// The epoch after a change of an incumbent. Where ranks have to agree only the program announces one.
  std::uint64_t next_epoch() noexcept {
    return rank_consistent ? epoch.load(std::memory_order_relaxed)
                           : epoch.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  /// Seconds since 1970. May call the program: never under a key's lock.
  std::int64_t now() const noexcept {
    try {
      if (clock) return clock();
    } catch (...) {
      // The program's clock broke its promise; the system has one as well.
    }
    return static_cast<std::int64_t>(std::time(nullptr));
  }

  /// Gives a line to the program's callback, or to stderr where there is none; `kind` as in `log_to_stderr`.
  void say(LogLevel level, std::string_view line, std::string_view kind = {}) const noexcept {
    if (!log) return log_to_stderr(level, line, kind);
    try {
      log(level, line);
    } catch (...) {
      // The program's callback broke its promise; the launch goes on.
    }
  }
};

}  // namespace adaptive::core

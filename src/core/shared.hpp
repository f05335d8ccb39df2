// What the operations of a selector have in common.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <adaptive/learning.hpp>
#include <adaptive/log.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/policy.hpp>
#include "core/predictor.hpp"

namespace adaptive::core {

struct Shared {
  std::atomic<Mode> mode{Mode::online};
  std::atomic<std::uint64_t> epoch{0};
  std::uint64_t seed = 0;
  LearningOptions learning;
  PolicyFactory policy;
  PredictorFactory predictor = nullptr;  // null: nothing is predicted
  LogCallback log;

  void say(LogLevel level, std::string_view line) const noexcept {
    if (!log) return;
    try {
      log(level, line);
    } catch (...) {
      // The program's callback broke its promise; the launch goes on.
    }
  }
};

}  // namespace adaptive::core

#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <utility>

#include <adaptive/operation.hpp>

namespace adaptive::inline v1 {

/// Does a whole round for a function that runs on the host: selects a variant for `key`, calls `f(variant)`
/// with its index (or `f(decision)`), times the call on the steady clock if the selector asks for it, and
/// records the latency. Returns what `f` returns. If `f` throws, the variant is set aside for the key and the
/// exception reaches the caller. Thread-safe as far as `f` is.
template <class F>
requires(std::invocable<F, std::uint32_t> || std::invocable<F, const Decision&>) decltype(auto)
    run(Operation& operation, const Key& key, F&& f) {
  const Decision decision = operation.select(key);
  // A guard instead of code after the call, so that every kind of return value passes through unchanged.
  struct Round {
    Operation& operation;
    const Decision& decision;
    int exceptions = std::uncaught_exceptions();
    std::chrono::steady_clock::time_point begin{};
    ~Round() {
      if (std::uncaught_exceptions() > exceptions)
        operation.fail(decision);
      else if (decision.timed())
        operation.record(decision, std::chrono::steady_clock::now() - begin);
    }
  } round{operation, decision};
  if (decision.timed()) round.begin = std::chrono::steady_clock::now();
  if constexpr (std::invocable<F, std::uint32_t>)
    return std::forward<F>(f)(decision.variant());
  else
    return std::forward<F>(f)(decision);
}

}  // namespace adaptive

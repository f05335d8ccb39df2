// Shared by the selector's tests: options that depend on nothing outside of the test, a log that remembers
// its lines, and simulated launches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "tests/learning/noise.hpp"

namespace adaptive::test {

/// Collects the lines of a log.
class Log {
 public:
  LogCallback callback() {
    return [lines = lines_](LogLevel level, std::string_view line) {
      const std::lock_guard lock(lines->mutex);
      lines->all.emplace_back(level, line);
    };
  }
  std::size_t count(std::string_view part, LogLevel least = LogLevel::debug) const {
    const std::lock_guard lock(lines_->mutex);
    return static_cast<std::size_t>(
        std::count_if(lines_->all.begin(), lines_->all.end(), [&](const auto& line) {
          return line.first >= least && line.second.find(part) != std::string::npos;
        }));
  }
  std::string text() const {
    const std::lock_guard lock(lines_->mutex);
    std::string all;
    for (const auto& line : lines_->all) all += line.second + "\n";
    return all;
  }

 private:
  struct Lines {
    std::mutex mutex;
    std::vector<std::pair<LogLevel, std::string>> all;
  };
  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
};

/// Options without environment and tables, with a device and a clock of the test. The selector has no worker
/// thread: a result is dropped if the worker holds the key's lock, so a test that counts results could fail
/// by chance.
inline SelectorOptions options() {
  SelectorOptions result;
  result.background = false;
  result.device = {.device = "Test Device 1"};
  result.use_environment = false;
  result.clock = [] { return std::int64_t{1'700'000'000}; };
  return result;
}

/// The same options, with the worker thread that a program has. Timing is not limited by what it costs on
/// this host, since latencies are made up.
inline SelectorOptions options_with_worker() {
  SelectorOptions result = options();
  result.background = true;
  result.learning.timing_budget = 1.0;
  return result;
}

/// An operation of one size `m` with the given variants.
inline OperationSpec operation(std::vector<std::string> names, std::string name = "op") {
  OperationSpec spec;
  spec.name = std::move(name);
  spec.dimensions = {size_dimension("m")};
  for (std::string& variant : names) spec.variants.push_back({.name = std::move(variant)});
  return spec;
}

/// Calls the operation `calls` times like a program: each variant takes its latency in `ns`, with 1 % noise,
/// and the result is recorded at once.
inline void launch(Operation& op, const Key& key, const std::vector<double>& ns, int calls,
                   std::uint64_t seed = 1) {
  Random random(seed);
  for (int i = 0; i < calls; ++i) {
    const Decision decision = op.select(key);
    const double latency = noisy(random, ns.at(decision.variant()), 0.01);
    if (decision.timed()) op.record(decision, Latency(latency));
  }
}

/// Measures every variant twenty times, like a tuner: enough for any policy to promote the fastest.
inline void learn(Operation& op, const Key& key, const std::vector<double>& ns, std::uint64_t seed = 1) {
  Random random(seed);
  for (int i = 0; i < 20; ++i)
    for (std::uint32_t v = 0; v < ns.size(); ++v) op.record(key, v, Latency(noisy(random, ns[v], 0.01)));
}

inline std::uint32_t incumbent(Operation& op, const Key& key) {
  return op.pin(key).variant();
}

/// Tries the candidates in turn and times every call, without end, so that a test does not depend on the
/// decisions of a real policy.
class RoundRobin final : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    return {next_++ % static_cast<std::uint32_t>(key.size()), true};
  }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.leader(), 1.0}; }

 private:
  std::uint32_t next_ = 0;
};

/// Always runs the incumbent and times every call.
class Steady final : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override { return {key.incumbent, true}; }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }
};

template <class P>
SelectorOptions options_with() {
  SelectorOptions result = options();
  result.policy = policy_of<P>();
  result.learning.timing_budget = 1.0;  // the policy may time every call
  return result;
}

}  // namespace adaptive::test

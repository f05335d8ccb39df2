#include "bench/soak/serving.hpp"

#include <cmath>
#include <numbers>
#include <thread>
#include <vector>

#include <adaptive/random.hpp>
#include "bench/soak/process.hpp"

namespace adaptive::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t layers = 12;
constexpr std::uint32_t variants = 4;
constexpr std::uint32_t batch_max = 64;
constexpr std::uint32_t lengths = 512;  // of attention's keys: multiples of 16 tokens
constexpr std::size_t delay_max = 64;   // steps until a latency arrives

// How often a launch is unlike the others.
constexpr double share_withheld = 0.005;  // of the timed ones
constexpr double share_twice = 0.005;
constexpr double share_unasked = 1e-3;  // latencies that nobody has asked for
constexpr double share_invalid = 1e-4;
constexpr double share_failed = 1e-6;

OperationSpec with_variants(OperationSpec spec) {
  for (std::uint32_t v = 0; v < variants; ++v)
    spec.variants.push_back({.name = "tile" + std::to_string(16 << v), .parameters = {{"tile", 16 << v}}});
  return spec;
}

// Of a launch that begins now, in nanoseconds: a smooth function of the key for each variant, which drifts,
// and noise with a heavy tail.
double simulated_ns(const Key& key, std::uint32_t variant, Clock::time_point now, Random& random) {
  constexpr double drift_s = 1200.0;
  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  double work = 1.0;
  double phase = variant;
  for (const std::int64_t value : key.values()) {
    work *= static_cast<double>(value + 1);
    phase += std::log2(static_cast<double>(value + 1)) * (1.0 + 0.3 * variant);
  }
  const double differs = 0.2 * std::sin(phase);
  const double drifts = 0.15 * std::sin(2.0 * std::numbers::pi * seconds / drift_s + phase);
  const double noise = 0.02 * random.uniform() + (random.uniform() < 0.01 ? random.uniform() : 0.0);
  return (20'000.0 + 10.0 * work) * (1.0 + differs + drifts) * (1.0 + noise);
}

}  // namespace

Deeds& Deeds::operator+=(const Deeds& other) noexcept {
  launches += other.launches;
  timed += other.timed;
  recorded += other.recorded;
  invalid += other.invalid;
  twice += other.twice;
  withheld += other.withheld;
  failed += other.failed;
  return *this;
}

Serving::Serving(Selector& selector) {
  operations_[0] = &selector.define(
      with_variants({.name = "projection", .dimensions = {{"batch"}, {"layer"}}, .variants = {}}));
  operations_[1] = &selector.define(with_variants({.name = "attention",
                                                   .dimensions = {{"batch"}, {"length"}},
                                                   .variants = {},
                                                   .max_keys = attention_keys_max}));
  for (std::int64_t batch = 1; batch <= batch_max; ++batch)
    for (std::int64_t layer = 0; layer < 4; ++layer) (void)operations_[0]->site({batch, layer});
}

Deeds Serving::deeds(std::size_t which) const {
  const std::lock_guard lock(mutex_);
  return deeds_[which];
}

std::chrono::duration<double> Serving::processor_time() const {
  const std::lock_guard lock(mutex_);
  return processor_time_;
}

// What one thread does.
class Serving::Thread {
 public:
  Thread(Serving& serving, std::uint64_t seed) : serving_(serving), random_(seed) {}

  void step() {
    const Clock::time_point now = Clock::now();
    deliver(steps_ % delay_max);
    // Requests come and go, and each step lengthens their texts by a token.
    batch_ += static_cast<std::int64_t>(random_.below(5)) - 2;
    batch_ = std::clamp<std::int64_t>(batch_, 1, batch_max);
    if (++tokens_ > 16 * lengths || random_.uniform() < 0.002) tokens_ = random_.below(16 * lengths);
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      launch(0, {batch_, layer % 4}, now);
      launch(1, {batch_, 1 + tokens_ / 16 % lengths}, now);
    }
    ++steps_;
  }

  void end() {
    for (std::size_t i = 0; i < delay_max; ++i) deliver(i);
    const std::lock_guard lock(serving_.mutex_);
    for (std::size_t i = 0; i < operations; ++i) serving_.deeds_[i] += deeds_[i];
    serving_.processor_time_ += thread_time() - began_;
  }

 private:
  struct Awaited {
    std::size_t operation = 0;
    Decision decision;
    double ns = 0.0;
  };

  void launch(std::size_t which, const Key& key, Clock::time_point now) {
    Operation& operation = *serving_.operations_[which];
    Deeds& deeds = deeds_[which];
    const Decision decision = operation.select(key);
    ++deeds.launches;
    if (decision.timed()) ++deeds.timed;
    const double fate = random_.uniform();
    if (fate < share_failed && decision.variant() != 0) {
      operation.fail(decision);
      ++deeds.failed;
    } else if (decision.timed()) {
      if (fate > 1.0 - share_withheld) {
        ++deeds.withheld;
        return;
      }
      await(which, decision, simulated_ns(key, decision.variant(), now, random_));
      if (fate > 1.0 - share_withheld - share_twice) {
        ++deeds.twice;
        await(which, decision, simulated_ns(key, decision.variant(), now, random_));
      }
    } else if (fate > 1.0 - share_invalid) {
      ++deeds.recorded;
      ++deeds.invalid;
      operation.record(decision, Latency(-1.0));
    } else if (fate > 1.0 - share_invalid - share_unasked) {
      await(which, decision, simulated_ns(key, decision.variant(), now, random_));
    }
  }

  void await(std::size_t which, const Decision& decision, double ns) {
    awaited_[(steps_ + random_.below(delay_max)) % delay_max].push_back({which, decision, ns});
  }

  void deliver(std::size_t at) {
    for (const Awaited& result : awaited_[at]) {
      serving_.operations_[result.operation]->record(result.decision, Latency(result.ns));
      ++deeds_[result.operation].recorded;
    }
    awaited_[at].clear();
  }

  Serving& serving_;
  Random random_;
  const std::chrono::duration<double> began_ = thread_time();
  std::uint64_t steps_ = 0;
  std::int64_t batch_ = 8;
  std::int64_t tokens_ = 0;
  std::array<std::vector<Awaited>, delay_max> awaited_;
  std::array<Deeds, operations> deeds_{};
};

void Serving::serve(std::uint64_t seed, double steps_per_second, const std::atomic<bool>& stop) {
  Thread thread(*this, seed);
  const auto pause =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1.0 / steps_per_second));
  Clock::time_point next = Clock::now();
  while (!stop.load(std::memory_order_relaxed)) {
    thread.step();
    // After a delay the pace stays the same; lost steps are not made up for.
    next = std::max(next + pause, Clock::now());
    std::this_thread::sleep_until(next);
  }
  thread.end();
}

}  // namespace adaptive::bench

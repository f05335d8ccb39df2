// A GPU that replays graphs, for tests of the learner. It checks that the learner keeps the rules of
// executables.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "cuda/graph/replay/driver.hpp"

namespace adaptive::test {

class SimulatedReplays final : public cuda::ReplayDriver {
 public:
  /// What a test decides. The functions have defaults, so that a test sets only what it is about.
  struct Behaviour {
    /// Latency in ns of a variant at a launch.
    std::function<double(std::size_t launch, std::uint32_t variant)> ns = [](std::size_t launch,
                                                                             std::uint32_t variant) {
      return 10'000.0 * static_cast<double>(launch + 1) + 1'000.0 * variant;
    };
    std::function<Form(std::size_t, std::uint32_t)> form = [](std::size_t, std::uint32_t) {
      return Form{Form::Kind::known, 0};
    };
    std::function<Making()> making = [] { return Making::made; };
    /// Number of steps after which an executable that was begun has been made; 0: at once.
    std::function<std::uint64_t()> builds_for = [] { return std::uint64_t{0}; };
    std::function<Making()> outcome = [] { return Making::made; };
    std::function<Setting(const Change&)> setting = [](const Change&) { return Setting::done; };
    std::function<bool()> launching = [] { return true; };
    /// Number of steps after which a replay has ended, and further steps until its latencies are here.
    std::function<std::uint64_t()> runs_for = [] { return std::uint64_t{1}; };
    std::function<std::uint64_t()> late_by = [] { return std::uint64_t{0}; };
    /// Whether the latency of a launch comes at all.
    std::function<bool()> comes = [] { return true; };
    Timing timing = Timing::possible;
    std::uint32_t source = 0;
    bool times_first = false;
    Latency cost{0};
  };

  Behaviour is;
  std::uint64_t made = 0;
  std::uint64_t destroyed = 0;
  std::uint64_t launched = 0;
  std::uint64_t forms_asked = 0;
  /// What ran in the latest replay of an executable of the learner's.
  std::vector<std::uint32_t> ran = {};
  /// The latencies that were given: launch, variant, ns.
  struct Given {
    const Operation* operation;
    std::uint32_t variant;
    bool timed;
    double ns;
  };
  std::vector<Given> given = {};

  /// One replay of the GPU's time.
  void step() { ++now_; }
  std::size_t alive() const { return executables_.size(); }

  Timing timing() noexcept override { return is.timing; }
  std::uint32_t source() noexcept override { return is.source; }
  Latency timing_cost() noexcept override { return is.cost; }
  Form form(std::size_t launch, std::uint32_t variant) noexcept override {
    ++forms_asked;
    return is.form(launch, variant);
  }

  Made make(std::span<const std::uint32_t> variants, std::span<const std::size_t> timed) noexcept override {
    for (std::size_t i = 0; i < variants.size(); ++i)
      EXPECT_EQ(is.form(i, variants[i]).kind, Form::Kind::known);
    const Making result = is.making();
    if (result != Making::made) return {result, 0};
    ++made;
    executables_[++last_] = {.variants = {variants.begin(), variants.end()},
                             .timed = {timed.begin(), timed.end()}};
    return {result, last_, is.times_first};
  }

  Made begin(std::span<const std::uint32_t> variants, std::span<const std::size_t> timed) noexcept override {
    Made one = make(variants, timed);
    const std::uint64_t steps = one.result == Making::made ? is.builds_for() : 0;
    if (steps == 0) return one;
    Executable& e = executables_.at(one.handle);
    e.ready = now_ + steps;
    e.usable = false;
    one.result = Making::begun;
    return one;
  }
  Making outcome(Handle handle) noexcept override {
    Executable& e = executables_.at(handle);
    if (now_ < e.ready) return Making::begun;
    const Making result = is.outcome();
    e.usable = result == Making::made;
    return result;
  }

  Set set(Handle handle, std::span<const Change> changes) noexcept override {
    Executable& e = executables_.at(handle);
    EXPECT_TRUE(e.usable) << "changed before it was made";
    EXPECT_FALSE(e.broken);
    EXPECT_FALSE(is_flying(e)) << "changed while in flight";
    for (std::size_t i = 0; i < changes.size(); ++i) {
      EXPECT_EQ(e.variants[changes[i].launch], changes[i].from);
      EXPECT_NE(changes[i].from, changes[i].to);
      const Setting setting = is.setting(changes[i]);
      e.broken = setting == Setting::broken;
      if (setting != Setting::done) return {setting, i};
    }
    for (const Change& change : changes) e.variants[change.launch] = change.to;
    return {};
  }

  bool launch(Handle handle, Flight flight, Stream) noexcept override {
    Executable& e = executables_.at(handle);
    EXPECT_TRUE(e.usable) << "launched before it was made";
    EXPECT_FALSE(e.broken) << "launched a mixture";
    EXPECT_FALSE(is_flying(e)) << "launched while in flight";
    if (!is.launching()) return false;
    ++launched;
    ran = e.variants;
    if (flight == 0) return true;
    EXPECT_FALSE(flights_.contains(flight));
    Flown flown{.executable = handle, .ends = now_ + is.runs_for()};
    flown.arrives = flown.ends + is.late_by();
    if (e.replayed || is.times_first)
      for (const std::size_t i : e.timed)
        if (is.comes()) flown.ns[i] = is.ns(i, e.variants[i]);
    e.replayed = true;
    e.flight = flight;
    flights_[flight] = flown;
    return true;
  }

  bool finished(Flight flight) noexcept override { return flights_.at(flight).ends <= now_; }

  Reading latency(Flight flight, std::size_t launch) noexcept override {
    const Flown& flown = flights_.at(flight);
    EXPECT_LE(flown.ends, now_) << "asked before the end";
    if (now_ < flown.arrives) return {Reading::State::pending, {}};
    const auto at = flown.ns.find(launch);
    if (at == flown.ns.end()) return {never_is_pending ? Reading::State::pending : Reading::State::never, {}};
    return {Reading::State::here, Latency(at->second)};
  }
  bool never_is_pending = false;

  void release(Flight flight) noexcept override { EXPECT_EQ(flights_.erase(flight), 1u); }
  void destroy(Handle handle) noexcept override {
    EXPECT_EQ(executables_.erase(handle), 1u);
    ++destroyed;
  }

  void give(Operation& operation, const Decision& decision, Latency latency) noexcept override {
    given.push_back({&operation, decision.variant(), decision.timed(), latency.count()});
    operation.record(decision, latency);
  }

 private:
  struct Executable {
    std::vector<std::uint32_t> variants;
    std::vector<std::size_t> timed;
    std::uint64_t ready = 0;
    bool usable = true;
    bool broken = false;
    bool replayed = false;
    Flight flight = 0;
  };
  struct Flown {
    Handle executable;
    std::uint64_t ends;
    std::uint64_t arrives = 0;
    std::map<std::size_t, double> ns = {};
  };

  bool is_flying(const Executable& e) const {
    const auto at = flights_.find(e.flight);
    return at != flights_.end() && at->second.ends > now_;
  }

  std::map<Handle, Executable> executables_;
  std::map<Flight, Flown> flights_;
  Handle last_ = 0;
  std::uint64_t now_ = 1;
};

}  // namespace adaptive::test

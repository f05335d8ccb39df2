// Learning under replay with random sequences of replays, promotions, refusals and losses.
#include "cuda/graph/replay/learner.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/base/properties.hpp"
#include "tests/cuda/host/simulated_replays.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda {
namespace {

const bool same_sequences = test::same_inputs(100);

constexpr std::uint32_t variants = 6;
constexpr std::size_t launches = 7;

// Different for each launch and variant, so that a latency tells to what it belongs.
double ns_of(std::size_t launch, std::uint32_t variant) {
  return 10'000.0 + 1'000.0 * static_cast<double>(launch) + 10.0 * variant;
}

RC_GTEST_PROP(Replays, KeepTheRulesWhateverHappens, ()) {
  std::mt19937_64 random(*rc::gen::inRange<std::uint32_t>(0, 1u << 31));
  const auto one_in = [&](std::uint64_t n) { return random() % n == 0; };
  const std::uint64_t trouble = *rc::gen::element<std::uint64_t>(3, 20, 1'000'000);

  test::SimulatedReplays driver;
  driver.is.ns = ns_of;
  driver.is.times_first = one_in(2);
  const bool builds_late = one_in(2);
  driver.is.builds_for = [=] { return builds_late ? *rc::gen::inRange<std::uint64_t>(0, 4) : 0; };
  driver.never_is_pending = one_in(2);
  driver.is.cost = Latency(one_in(2) ? 3000 : 0);
  const std::uint32_t forms = 1 + static_cast<std::uint32_t>(random() % 4);
  driver.is.form = [&](std::size_t launch, std::uint32_t v) {
    using Kind = ReplayDriver::Form::Kind;
    // The incumbents of the program's executable can be captured.
    if (v == 0) return ReplayDriver::Form{Kind::known, 0};
    if (v == 5 && launch == 2) return ReplayDriver::Form{Kind::unfit, 0};
    return ReplayDriver::Form{Kind::known, v % forms};
  };
  driver.is.making = [&] {
    if (!one_in(trouble)) return ReplayDriver::Making::made;
    return one_in(2) ? ReplayDriver::Making::refused : ReplayDriver::Making::no_memory;
  };
  driver.is.setting = [&](const ReplayDriver::Change&) {
    if (!one_in(trouble)) return ReplayDriver::Setting::done;
    return one_in(2) ? ReplayDriver::Setting::refused : ReplayDriver::Setting::broken;
  };
  driver.is.launching = [&] { return !one_in(trouble); };
  driver.is.runs_for = [&] { return random() % 5; };
  driver.is.late_by = [&] { return random() % 30; };
  driver.is.comes = [&] { return !one_in(trouble); };

  auto options = test::options_with<test::RoundRobin>();
  options.log = [](LogLevel, std::string_view) {};
  Selector selector(options);
  std::vector<std::string> names;
  for (std::uint32_t v = 0; v < variants; ++v) names.push_back("v" + std::to_string(v));
  Operation& op = selector.define(test::operation(names));
  const ReplayOptions limits{.looks_max = 1 + random() % 4, .executables_max = 1 + random() % 6};
  ReplayLearner learner(driver, limits);
  std::vector<std::uint32_t> base;
  std::optional<Forced> forced;
  const auto key = [](std::size_t launch) { return Key{static_cast<std::int64_t>(launch) + 1}; };
  const auto capture = [&] {
    learner.clear();
    base.assign(launches, 0);
    for (std::size_t i = 0; i < launches; ++i) learner.add(op, key(i), i != 3);
  };
  capture();

  for (int step = 0; step < 1500; ++step) {
    switch (random() % 300) {
      case 0:
        capture();
        break;
      case 1:
        op.reset();
        break;
      case 2:
        selector.set_mode(one_in(2) ? Mode::off : Mode::online);
        break;
      case 3:
        selector.set_mode(Mode::online);
        forced.reset();
        break;
      case 4:
        forced.reset();
        forced.emplace(op.force(names[random() % variants]));
        break;
      case 5:
        ++driver.is.source;
        break;
      case 6:
        driver.is.timing = ReplayDriver::Timing::not_yet;
        break;
      case 7:
      case 8:
      case 9:
        driver.is.timing = ReplayDriver::Timing::possible;
        selector.set_mode(Mode::online);
        break;
      default:
        break;
    }
    std::vector<std::uint32_t> wanted(launches, 0);
    for (std::size_t i = 0; i < launches; ++i)
      if (i != 3) wanted[i] = op.pin(key(i)).variant();
    // The program's executable has the first form; others need the stand-in.
    bool can_stand_in = true;
    bool same = true;
    for (std::size_t i = 0; i < launches; ++i) {
      const ReplayDriver::Form form = driver.is.form(i, wanted[i]);
      can_stand_in = can_stand_in && form.kind == ReplayDriver::Form::Kind::known;
      same = same && form.number == 0;
    }
    bool stands_in = false;
    if (same && can_stand_in) {
      base = wanted;
      learner.drop_stand_in();
    } else if (learner.prepare_stand_in(wanted)) {
      RC_ASSERT(can_stand_in);
      base = wanted;
      stands_in = true;
    }
    driver.ran = base;
    const std::uint64_t looks = learner.counters().looks;
    if (!learner.replay(base, nullptr)) {
      driver.ran = base;
      if (stands_in && learner.launch_stand_in(nullptr)) RC_ASSERT(driver.ran == base);
    }
    // What differs from the incumbents are looks, or the untimed first replay of forms that looks wait for.
    std::size_t differ = 0;
    for (std::size_t i = 0; i < launches; ++i) differ += driver.ran[i] != base[i] ? 1 : 0;
    const std::uint64_t taken = learner.counters().looks - looks;
    RC_ASSERT(differ <= taken || (taken == 0 && differ <= limits.looks_max));
    RC_ASSERT(taken <= limits.looks_max);
    RC_ASSERT(driver.ran[3] == base[3]);
    RC_ASSERT(driver.alive() <= limits.executables_max);
    const ReplayCounters& c = learner.counters();
    RC_ASSERT(c.asked == c.looks + c.dropped + c.waiting);
    RC_ASSERT(c.looks == c.recorded + c.lost + c.pending);
    RC_ASSERT(c.built - c.removed == driver.alive());
    driver.step();
  }
  for (const auto& given : driver.given) {
    const double offset = given.ns - ns_of(0, given.variant);
    const auto launch = static_cast<std::size_t>(offset / 1'000.0);
    RC_ASSERT(launch < launches);
    RC_ASSERT(given.ns == ns_of(launch, given.variant));
  }
  learner.clear();
  RC_ASSERT(driver.alive() == 0u);
  RC_ASSERT(learner.counters().pending == 0u);
}

}  // namespace
}  // namespace adaptive::cuda

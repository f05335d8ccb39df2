// Tests fits of models, which the worker thread or `learn` runs, but never a launch.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/operation/tiles.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

using test::is_modelled;
using test::launch_all;
using test::tiles;
using test::tiles_ns;

SelectorOptions without_thread() {
  SelectorOptions options = test::options();
  options.background = false;
  return options;
}

TEST(Fits, WithoutTheThreadAreMadeByLearn) {
  Selector selector(without_thread());
  Operation& op = selector.define(tiles());
  launch_all(op);
  EXPECT_FALSE(is_modelled(op));
  selector.learn();
  EXPECT_TRUE(is_modelled(op));
}

TEST(Fits, WithoutTheThreadARunRepeats) {
  std::vector<std::uint32_t> first;
  for (int run = 0; run < 2; ++run) {
    Selector selector(without_thread());
    Operation& op = selector.define(tiles());
    Random random(1);
    std::vector<std::uint32_t> chosen;
    for (int i = 0; i < 500; ++i) {
      const std::int64_t m = std::int64_t{1} << (i % 8);
      const Decision decision = op.select({m});
      chosen.push_back(decision.variant());
      if (decision.timed())
        op.record(decision, Latency(test::noisy(random, tiles_ns(m)[decision.variant()], 0.01)));
      if (i % 10 == 9) selector.learn();
    }
    if (run == 0)
      first = chosen;
    else
      EXPECT_EQ(chosen, first);
  }
}

TEST(Fits, AreMadeByTheThread) {
  Selector selector(test::options_with_worker());
  Operation& op = selector.define(tiles());
  launch_all(op);
  while (!is_modelled(op)) std::this_thread::yield();
}

TEST(Fits, AKeyLearnsWhereNobodyFits) {
  Selector selector(without_thread());
  Operation& op = selector.define(tiles());
  for (int i = 0; i < 20'000; ++i)
    test::launch(op, {8}, {200.0, 100.0, 300.0}, 1, static_cast<std::uint64_t>(i) + 1);
  EXPECT_EQ(test::incumbent(op, {8}), 1u) << op.explain({8});
}

/// Posts a fit after every result, and remembers the thread on which it ran.
class Fitting final : public Policy {
 public:
  struct Seen {
    std::atomic<int> adopted{0};
    std::atomic<std::thread::id> thread;
    std::atomic<bool> held{false};
    std::atomic<bool> under_way{false};
  };
  class Work final : public Fit {
   public:
    explicit Work(Seen& s) : seen(s) {}
    void run() noexcept override {
      seen.under_way = true;
      seen.thread = std::this_thread::get_id();
      while (seen.held.load()) std::this_thread::yield();
    }
    Seen& seen;
  };

  explicit Fitting(Seen& seen) : seen_(seen) {}
  Choice choose(const KeyStatistics& key, Random&) noexcept override { return {key.incumbent, true}; }
  void observe(KeyStatistics&, const Sample&) noexcept override { due_ = true; }
  bool fit_due() const noexcept override { return due_; }
  std::unique_ptr<Fit> start_fit(const KeyStatistics&) override {
    due_ = false;
    return std::make_unique<Work>(seen_);
  }
  void adopt(Fit&, const KeyStatistics&) noexcept override { ++seen_.adopted; }

 private:
  Seen& seen_;
  bool due_ = false;
};

class OwnFit : public testing::Test {
 protected:
  SelectorOptions options(bool background) {
    SelectorOptions result = test::options();
    result.policy = [this] { return std::make_unique<Fitting>(seen_); };
    result.background = background;
    return result;
  }
  Fitting::Seen seen_;
};

TEST_F(OwnFit, IsMadeOffTheLaunchPathAndAdopted) {
  Selector selector(options(true));
  Operation& op = selector.define(test::operation({"a", "b"}));
  op.record(op.select({8}), Latency(100.0));
  while (seen_.adopted.load() == 0) std::this_thread::yield();
  EXPECT_NE(seen_.thread.load(), std::this_thread::get_id());
}

TEST_F(OwnFit, LetsLaunchesGoOn) {
  seen_.held = true;
  Selector selector(options(true));
  Operation& op = selector.define(test::operation({"a", "b"}));
  op.record(op.select({8}), Latency(100.0));
  while (!seen_.under_way.load()) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) op.record(op.select({8}), Latency(100.0));
  EXPECT_EQ(op.counters().results, 101u);
  EXPECT_EQ(op.counters().contended, 0u) << "the key's lock was free";
  seen_.held = false;
}

TEST_F(OwnFit, OfAKeyThatHasBegunAnewIsNotAdopted) {
  seen_.held = true;
  Selector selector(options(true));
  Operation& op = selector.define(test::operation({"a", "b"}));
  op.record(op.select({8}), Latency(100.0));
  while (!seen_.under_way.load()) std::this_thread::yield();
  op.reset();
  seen_.held = false;
  selector.learn();
  EXPECT_EQ(seen_.adopted, 0);
}

TEST_F(OwnFit, WaitsInModesThatLearnNothing) {
  Selector selector(options(true));
  Operation& op = selector.define(test::operation({"a", "b"}));
  selector.set_mode(Mode::frozen);
  op.record(op.select({8}), Latency(100.0));
  selector.learn();
  EXPECT_EQ(seen_.adopted, 0) << "nothing is put to the policy";
  selector.set_mode(Mode::online);
  op.record(op.select({8}), Latency(100.0));
  while (seen_.adopted.load() == 0) std::this_thread::yield();
}

TEST_F(OwnFit, LaunchesOfManyThreads) {
  Selector selector(options(true));
  Operation& op = selector.define(test::operation({"a", "b"}));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) op.record(op.select({i % 5}), Latency(100.0));
    });
  for (std::thread& thread : threads) thread.join();
  selector.learn();
  EXPECT_GT(seen_.adopted, 0);
}

}  // namespace
}  // namespace adaptive

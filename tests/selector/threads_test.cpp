// Does everything at the same time, for the thread sanitizer. Without it, the test checks the sums.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

void together(const std::vector<std::function<void()>>& bodies) {
  std::vector<std::thread> threads;
  std::atomic<bool> go{false};
  for (const auto& body : bodies)
    threads.emplace_back([&] {
      while (!go.load()) std::this_thread::yield();
      body();
    });
  go = true;
  for (std::thread& thread : threads) thread.join();
}

constexpr int launchers = 4;
constexpr int calls = 3000;

double latency_of(std::uint32_t variant, std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return 100.0 + 20.0 * variant + static_cast<double>(state >> 61);
}

class Together : public testing::TestWithParam<const char*> {};

TEST_P(Together, ShareKeysWhileEverythingChanges) {
  const test::ScratchFolder folder;
  SelectorOptions options = test::options_with_worker();
  options.policy = make_policy(GetParam());
  Selector selector(options);
  OperationSpec spec = test::operation({"a", "b", "c", "d"});
  spec.variants[3].supports = [](const Key& key) { return key[0] % 2 == 0; };
  Operation& op = selector.define(spec);
  std::atomic<int> running{launchers};
  std::atomic<std::uint64_t> recorded{0};

  std::vector<std::function<void()>> bodies;
  for (int t = 0; t < launchers; ++t)
    bodies.emplace_back([&, t] {
      std::uint64_t state = static_cast<std::uint64_t>(t);
      const Site site = op.site({3});
      for (int i = 0; i < calls; ++i) {
        const Key key{i % 50 + (i > calls / 2 ? t * 100 : 0)};
        const Decision decision = i % 10 == 0 ? site.select() : op.select(key);
        ASSERT_LT(decision.variant(), op.variant_count());
        ASSERT_FALSE(decision.variant() == 3 && key[0] % 2 == 1 && i % 10 != 0);
        if (i % 997 == 500)
          op.fail(decision);
        else if (i % 13 != 0)
          op.record(decision, Latency(latency_of(decision.variant(), state)));
        const Pin pin = op.pin(key);
        static_cast<void>(pin.stale());
        recorded.fetch_add(1, std::memory_order_relaxed);
      }
      running.fetch_sub(1);
    });
  bodies.emplace_back([&] {
    constexpr std::array modes = {Mode::online, Mode::observe, Mode::off,
                                  Mode::online, Mode::frozen,  Mode::seed};
    for (int i = 0; running.load() > 0 || i < 20; ++i) {
      selector.set_mode(modes[static_cast<std::size_t>(i) % modes.size()]);
      if (i < 20) selector.define(test::operation({"x", "y"}, "other" + std::to_string(i))).select({i});
      if (i % 5 == 0 && op.variant_count() < 12)
        op.add_variant({.name = "new" + std::to_string(op.variant_count())});
      static_cast<void>(op.explain({i % 50}).text());
      static_cast<void>(op.counters());
      static_cast<void>(selector.epoch());
      if (i % 4 == 0) selector.save(folder / "table.json");
      if (i % 16 == 3) selector.load(folder / "table.json");
      if (i % 6 == 1) selector.fit_predictions();
      if (i % 7 == 0) {
        const Forced forced = op.force("b");
        static_cast<void>(op.select({1}));
      }
      op.enable("c", i % 2 == 0);
      if (i % 9 == 0) op.reset({i % 50});
      if (i == 17) op.reset();
    }
    selector.set_mode(Mode::online);
  });
  together(bodies);
  EXPECT_EQ(recorded.load(), static_cast<std::uint64_t>(launchers) * calls);
  EXPECT_FALSE(op.explain({1}).text().empty());
}

INSTANTIATE_TEST_SUITE_P(Policies, Together, testing::Values("default", "gaussian"));

TEST(Threads, LoseNoResultOfAnotherThread) {
  SelectorOptions options = test::options_with<test::Steady>();
  options.learning.result_patience = 65'536;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  std::mutex mutex;
  std::deque<Decision> queue;
  std::atomic<int> running{launchers};
  std::atomic<std::uint64_t> timed{0};
  std::vector<std::function<void()>> bodies;
  for (int t = 0; t < launchers; ++t)
    bodies.emplace_back([&] {
      for (int i = 0; i < calls; ++i) {
        const Decision decision = op.select({i % 5});
        if (!decision.timed()) continue;
        timed.fetch_add(1, std::memory_order_relaxed);
        const std::lock_guard lock(mutex);
        queue.push_back(decision);
      }
      running.fetch_sub(1);
    });
  bodies.emplace_back([&] {
    for (;;) {
      std::unique_lock lock(mutex);
      if (queue.empty()) {
        if (running.load() == 0) return;
        lock.unlock();
        std::this_thread::yield();
        continue;
      }
      // Records the newest decision first, that is, out of order.
      const Decision decision = queue.back();
      queue.pop_back();
      lock.unlock();
      op.record(decision, Latency(100.0));
    }
  });
  together(bodies);
  const Counters counters = op.counters();
  EXPECT_EQ(counters.timed, timed.load());
  EXPECT_EQ(counters.results + counters.results_dropped, timed.load());
  EXPECT_EQ(counters.results_lost + counters.results_duplicate + counters.results_expired, 0u);
  std::uint64_t pending = 0;
  for (int m = 0; m < 5; ++m) pending += op.explain({m}).candidates.at(0).pending;
  EXPECT_EQ(pending, counters.results_dropped);
}

TEST(Threads, MakeEachKeyOnce) {
  Selector selector(test::options_with_worker());
  Operation& op = selector.define(test::operation({"a", "b"}));
  std::vector<std::function<void()>> bodies;
  for (int t = 0; t < launchers; ++t)
    bodies.emplace_back([&] {
      for (int round = 0; round < 3; ++round)
        for (int m = 0; m < 300; ++m) op.select({m});  // without results, so that each key gets a state
    });
  together(bodies);
  for (int m = 0; m < 300; ++m) op.select({m});
  EXPECT_EQ(op.counters().keys, 300u);
}

TEST(Threads, AddVariantsWhileOthersSelect) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"v0"}));
  std::vector<std::function<void()>> bodies;
  for (int t = 0; t < launchers; ++t)
    bodies.emplace_back([&] {
      for (int i = 0; i < calls; ++i) {
        const Decision decision = op.select({i % 20});
        ASSERT_EQ(op.variant(decision.variant()).name, "v" + std::to_string(decision.variant()));
        op.record(decision, Latency(100.0));
      }
    });
  bodies.emplace_back([&] {
    for (int i = 1; i <= 100; ++i)
      EXPECT_EQ(op.add_variant({.name = "v" + std::to_string(i)}), static_cast<unsigned>(i));
  });
  together(bodies);
  EXPECT_EQ(op.variant_count(), 101u);
  for (int m = 0; m < 20; ++m) EXPECT_EQ(op.explain({m}).candidates.size(), 101u);
}

// A program's own list of kernels, with neither lock nor atomic. If one thread writes to the list and then
// adds a variant, a thread that is told to run the variant must see what was written. The thread sanitizer
// checks this.
class Kernels : public testing::Test {
 protected:
  static constexpr std::size_t variants = 64;

  static SelectorOptions frozen() {
    SelectorOptions options = test::options_with_worker();
    options.mode = Mode::frozen;  // no call reaches the policy, whose lock would order the two threads
    return options;
  }
  std::uint32_t add() {
    const std::size_t number = kernels_[0]++;
    kernels_[number] = number;
    return op_.add_variant({.name = "v" + std::to_string(number)});
  }

  // Another thread asks which variant runs, until the last one does.
  template <class Running>
  void read_while_variants_are_added(Running running) {
    std::thread reader([&] {
      for (std::uint32_t variant = 0; variant + 1 < variants; variant = running()) {
        if (variant > 0) {
          ASSERT_EQ(kernels_[variant], variant);
        }
        std::this_thread::yield();
      }
    });
    std::vector<Forced> forced;
    while (op_.variant_count() < variants) {
      const std::uint32_t added = add();
      forced.push_back(op_.force("v" + std::to_string(added)));
    }
    reader.join();
  }

  Selector selector_{frozen()};
  Operation& op_ = selector_.define(test::operation({"a"}));
  std::array<std::size_t, variants> kernels_{1};  // the first element is the number of kernels
};

TEST_F(Kernels, AreThereWhereSelectNamesTheirVariant) {
  op_.select({8});
  read_while_variants_are_added([this] { return op_.select({8}).variant(); });
}

TEST_F(Kernels, AreThereWhereAPinNamesTheirVariant) {
  static_cast<void>(op_.pin({8}));
  read_while_variants_are_added([this] { return op_.pin({8}).variant(); });
}

}  // namespace
}  // namespace adaptive

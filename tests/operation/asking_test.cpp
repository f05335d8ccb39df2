// Tests the program's functions that say which variants can run a key: who calls them, when, and what other
// threads do meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

/// Counts how many threads are inside, and how often it was entered for each key.
class Watch {
 public:
  template <class F>
  auto operator()(const Key& key, F&& f) {
    most_.store(std::max(most_.load(), ++inside_));
    {
      const std::lock_guard lock(mutex_);
      ++entered_[key[0]];
    }
    const auto result = f();
    --inside_;
    return result;
  }
  int most() const { return most_; }
  int entered(std::int64_t m) const {
    const std::lock_guard lock(mutex_);
    const auto at = entered_.find(m);
    return at == entered_.end() ? 0 : at->second;
  }

 private:
  std::atomic<int> inside_{0};
  std::atomic<int> most_{0};
  mutable std::mutex mutex_;
  std::map<std::int64_t, int> entered_;
};

void on_another_thread(const std::function<void()>& body) {
  std::thread(body).join();
}

/// Lets another thread run until it waits or ends.
void give_way() {
  for (int i = 0; i < 2000; ++i) std::this_thread::yield();
}

TEST(Asking, IsDoneOnceForEachKeyByOneThreadAtATime) {
  Watch candidates;
  Watch supports;
  OperationSpec spec = test::operation({"a", "b"});
  spec.candidates = [&](const Key& key) {
    return candidates(key, [] { return std::vector<std::uint32_t>{1, 0}; });
  };
  for (Variant& variant : spec.variants)
    variant.supports = [&](const Key& key) {
      return supports(key, [] {
        std::this_thread::yield();
        return true;
      });
    };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int m = 0; m < 200; ++m) EXPECT_LT(op.select({m}).variant(), 2u);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(candidates.most(), 1);
  EXPECT_EQ(supports.most(), 1);
  for (int m = 0; m < 200; ++m) {
    EXPECT_EQ(candidates.entered(m), 1) << m;
    EXPECT_EQ(supports.entered(m), 2) << m;
  }
}

TEST(Asking, LeavesTheDefaultToOtherFirstCalls) {
  Operation* op = nullptr;
  int asked_about_two = 0;
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [&](const Key& key) {
    if (key[0] == 2) ++asked_about_two;
    if (key[0] == 1)
      on_another_thread([&] {
        const Decision decision = op->select({2});
        EXPECT_EQ(decision.variant(), 0u);
        EXPECT_FALSE(decision.timed());
        const Pin pin = op->pin({2});
        EXPECT_EQ(pin.variant(), 0u);
        EXPECT_TRUE(pin.stale()) << "a graph is captured again once the key has its state";
        EXPECT_EQ(op->select_known({2}), std::nullopt);
        EXPECT_EQ(asked_about_two, 0);
      });
    return true;
  };
  Selector selector(test::options());
  op = &selector.define(spec);
  op->select({1});
  EXPECT_GE(op->counters().contended, 3u);
  EXPECT_TRUE(op->select({2}).timed());
  EXPECT_FALSE(op->pin({2}).stale());
}

// The default of a key about which the program cannot be asked is unknown. Another variant without `supports`
// runs in its place, but not a disabled one.
TEST(Asking, LeavesOtherFirstCallsAVariantThatRunsEveryKey) {
  Operation* op = nullptr;
  OperationSpec spec = test::operation({"a", "b", "c", "d"});
  spec.variants[0].supports = [&](const Key& key) {
    if (key[0] == 1) on_another_thread([&] { EXPECT_EQ(op->select({2}).variant(), 2u); });
    return key[0] == 1;
  };
  Selector selector(test::options());
  op = &selector.define(spec);
  op->enable("b", false);
  op->select({1});
}

/// Returns what another thread's first call of key 200 runs while the program is asked about key 1, so that
/// it cannot be asked about key 200.
std::uint32_t runs_meanwhile(OperationSpec spec) {
  Operation* op = nullptr;
  Watch watch;
  std::thread other;
  std::uint32_t variant = ~0u;
  for (Variant& v : spec.variants)
    v.supports = [&, inner = v.supports](const Key& key) {
      return watch(key, [&] {
        if (key[0] == 1 && !other.joinable()) {
          other = std::thread([&] { variant = op->select({200}).variant(); });
          give_way();
        }
        return inner ? inner(key) : true;
      });
    };
  Selector selector(test::options());
  op = &selector.define(std::move(spec));
  op->select({1});
  other.join();
  EXPECT_EQ(watch.most(), 1);
  return variant;
}

TEST(Asking, IsWaitedForWhereOnlyTheProgramCanTell) {
  OperationSpec spec = test::operation({"small", "large"});
  spec.variants[0].supports = [](const Key& key) { return key[0] < 100; };
  spec.variants[1].supports = [](const Key& key) { return key[0] >= 100; };
  EXPECT_EQ(runs_meanwhile(spec), 1u);
}

TEST(Asking, IsWaitedForWhereTheDefaultDecidesTheNumericClass) {
  Operation* op = nullptr;
  std::thread other;
  std::uint32_t variant = ~0u;
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].numeric_class = "tf32";
  spec.default_variant = [&](const Key& key) {
    if (key[0] == 1) {
      other = std::thread([&] { variant = op->select({200}).variant(); });
      give_way();
    }
    return key[0] >= 100 ? 1u : 0u;
  };
  Selector selector(test::options());
  op = &selector.define(spec);
  op->select({1});
  other.join();
  EXPECT_EQ(variant, 1u);
}

// A program may guard its own list of algorithms with a mutex, which is held here while the program is asked.
// Calls of another thread with known keys, or with the operation as a whole, must not wait for that.
TEST(Asking, HoldsNoLockThatOtherMembersNeed) {
  const test::ScratchFolder folder;
  Selector* selector = nullptr;
  Operation* op = nullptr;
  std::mutex mine;
  OperationSpec spec = test::operation({"a", "b"});
  spec.candidates = [&](const Key& key) {
    const std::lock_guard lock(mine);
    if (key[0] == 1)
      on_another_thread([&] {
        op->add_variant({.name = "c"});
        const Decision decision = op->select({8});
        op->record(decision, Latency(100.0));
        op->record(Key{8}, 1, Latency(100.0));
        op->fail(op->select({8}));
        EXPECT_FALSE(op->explain({8}).text().empty());
        EXPECT_LT(op->pin({8}).variant(), 2u);
        EXPECT_TRUE(op->select_known({8}).has_value());
        op->enable("b", false);
        op->enable("b", true);
        selector->set_mode(Mode::off);
        selector->set_mode(Mode::online);
        selector->save(folder / "table.json");
        selector->fit_predictions();
        EXPECT_EQ(op->counters().keys, 1u);
        EXPECT_EQ(op->select({2}).variant(), 0u);
      });
    return std::vector<std::uint32_t>{0, 1};
  };
  Selector made(test::options());
  selector = &made;
  op = &made.define(spec);
  op->record(op->select({8}), Latency(100.0));
  op->select({1});
  EXPECT_EQ(op->variant_count(), 3u);
  EXPECT_EQ(op->counters().keys, 2u);
}

// Two threads meet algorithms that the operation does not have yet. Each thread looks the name up and then
// appends it.
TEST(Asking, LetsTheProgramLookUpAndAppendInTwoSteps) {
  Operation* op = nullptr;
  OperationSpec spec = test::operation({"a"});
  spec.variants[0].supports = [](const Key&) { return true; };
  spec.candidates = [&](const Key& key) {
    const std::string name = "algorithm_" + std::to_string(key[0] / 4);
    const auto known = op->find_variant(name);
    std::this_thread::yield();
    return std::vector<std::uint32_t>{known ? *known : op->add_variant({.name = name}), 0};
  };
  test::Log log;
  SelectorOptions options = test::options();
  options.log = log.callback();
  Selector selector(options);
  op = &selector.define(spec);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int m = 0; m < 200; ++m) op->select({m});
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log.count("could not be set up"), 0u) << log.text();
  EXPECT_EQ(op->variant_count(), 51u);
  EXPECT_EQ(op->counters().keys, 200u);
}

TEST(Asking, MayCallTheOperationAgain) {
  Operation* op = nullptr;
  Selector selector(test::options());
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [&](const Key& key) {
    if (key[0] != 1) return true;
    EXPECT_LT(op->select({8}).variant(), 2u) << "a key that has its state explores";
    EXPECT_EQ(op->select({1}).variant(), 0u) << "the key itself";
    EXPECT_EQ(op->select({2}).variant(), 0u);
    EXPECT_EQ(op->pin({2}).variant(), 0u);
    EXPECT_EQ(op->site({2}).select().variant(), 0u);
    EXPECT_EQ(op->select_known({2}), std::nullopt);
    EXPECT_FALSE(op->explain({8}).text().empty());
    EXPECT_THROW(op->explain({2}), Error);
    EXPECT_THROW(static_cast<void>(op->force("b")), Error);
    EXPECT_THROW(op->reset(), Error);
    EXPECT_THROW(op->reset({8}), Error);
    EXPECT_THROW(op->add_variant({.name = "c"}), Error);
    EXPECT_EQ(op->find_variant("b"), 1u);
    EXPECT_EQ(op->counters().keys, 1u);
    return true;
  };
  op = &selector.define(spec);
  op->select({8});
  EXPECT_TRUE(op->select({1}).timed());
  EXPECT_EQ(op->counters().keys, 2u);
}

TEST(Asking, IsRepeatedWhereItThrewAndRunsWhatCanMeanwhile) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.variants[0].supports = [](const Key&) { return false; };
  spec.variants[1].supports = [](const Key&) -> bool { throw 42; };
  spec.default_variant = [](const Key&) -> std::uint32_t { throw 42; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.select({8}).variant(), 2u);
  EXPECT_EQ(op.pin({8}).variant(), 2u);
  EXPECT_TRUE(op.pin({8}).stale());
}

TEST(Asking, RunsTheDefaultOfTheKeyWhereOnlyThePolicyCannotBeMade) {
  SelectorOptions options = test::options();
  bool works = false;
  options.policy = [&]() -> std::unique_ptr<Policy> {
    if (!works) return nullptr;
    return std::make_unique<test::Steady>();
  };
  OperationSpec spec = test::operation({"a", "b"});
  spec.default_variant = [](const Key&) { return 1u; };
  Selector selector(options);
  Operation& op = selector.define(spec);
  const Site site = op.site({8});
  EXPECT_EQ(op.select({8}).variant(), 1u);
  EXPECT_EQ(site.select().variant(), 1u);
  works = true;
  EXPECT_TRUE(site.select().timed()) << "a site takes up its key once it can be set up";
}

// The default of a key need not be the first variant, and it may be disabled.
TEST(Asking, ADisabledDefaultIsNotRunByTheKillSwitch) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.default_variant = [](const Key&) { return 1u; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  selector.set_mode(Mode::off);
  ASSERT_EQ(op.select({8}).variant(), 1u);
  op.enable("b", false);
  EXPECT_EQ(op.select({8}).variant(), 0u);
  EXPECT_EQ(op.pin({8}).variant(), 0u);
  EXPECT_EQ(op.select({9}).variant(), 0u);
}

}  // namespace
}  // namespace adaptive

// Tests a call site with a fixed key.
#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(Site, DecidesAsItsOperation) {
  Selector selector(test::options());
  Selector twin(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  Operation& other = twin.define(test::operation({"a", "b"}));
  const Site site = op.site({8});
  for (int i = 0; i < 2000; ++i) {
    const Decision here = site.select();
    const Decision there = other.select({8});
    ASSERT_EQ(here.variant(), there.variant()) << i;
    ASSERT_EQ(here.timed(), there.timed()) << i;
    if (!here.timed()) continue;
    const Latency latency(here.variant() == 1 ? 100.0 : 200.0 + i % 5);
    op.record(here, latency);
    other.record(there, latency);
  }
  EXPECT_EQ(site.pin().variant(), 1u);
  EXPECT_FALSE(site.pin().stale());
}

TEST(Site, IsSharedByThreads) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Site site = op.site({8});
  std::vector<std::thread> threads;
  const auto calls = [&op, site] {
    for (int i = 0; i < 1000; ++i) {
      const Decision decision = site.select();
      op.record(decision, Latency(decision.variant() == 1 ? 100.0 : 200.0));
    }
  };
  for (int t = 0; t < 4; ++t) threads.emplace_back(calls);
  for (std::thread& thread : threads) thread.join();
  // It depends on chance how many of those calls found the key's lock free; all of these do.
  for (int round = 0; round < 4; ++round) calls();
  EXPECT_EQ(site.pin().variant(), 1u);
}

TEST(Site, RoundsItsKey) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.dimensions[0].rounding = Rounding::power_of_two;
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  op.site({17}).select();
  op.site({30}).select();
  EXPECT_EQ(op.counters().keys, 1u);
}

TEST(Site, KnowsItsOperation) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  EXPECT_EQ(&op.site({8}).operation(), &op);
}

// Set-up may wait, and its result is permanent: another thread that does the same must not cost the site its
// key.
TEST(Site, IsBoundThoughAnotherThreadIsMakingAKey) {
  std::optional<Site> site;
  std::thread other;
  Operation* op = nullptr;
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [&](const Key& key) {
    if (key[0] != 1) return true;
    other = std::thread([&] { site = op->site({8}); });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    return true;
  };
  Selector selector(test::options());
  op = &selector.define(spec);
  op->select({1});
  other.join();
  ASSERT_TRUE(site.has_value());
  EXPECT_TRUE(site->select().timed());
}

}  // namespace
}  // namespace adaptive

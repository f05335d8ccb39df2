// Keys beyond the bound are served, counted, and not learned.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(MaxKeys, RefusesServesAndCounts) {
  test::Log log;
  SelectorOptions options = test::options();
  options.log = log.callback();
  OperationSpec spec = test::operation({"a", "b"});
  spec.max_keys = 3;
  spec.variants[0].supports = [](const Key& key) { return key[0] < 100; };
  Selector selector(options);
  Operation& op = selector.define(spec);
  for (int m = 1; m <= 3; ++m) op.select({m});
  for (int i = 0; i < 5; ++i) {
    const Decision decision = op.select({4});
    EXPECT_EQ(decision.variant(), 0u);
    EXPECT_FALSE(decision.timed());
    op.record(decision, Latency(100.0));
    EXPECT_EQ(op.select({100}).variant(), 1u) << "the first that can run it";
  }
  EXPECT_EQ(op.counters().keys, 3u);
  EXPECT_EQ(op.counters().keys_refused, 10u);
  EXPECT_EQ(op.counters().results, 0u);
  EXPECT_EQ(log.count("max_keys"), 1u) << log.text();
}

TEST(MaxKeys, LeavesSitesAndPinsTheirDefault) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.max_keys = 0;
  spec.default_variant = [](const Key&) { return 1u; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  const Site site = op.site({4});
  EXPECT_EQ(site.select().variant(), 1u);
  EXPECT_EQ(site.pin().variant(), 1u);
  EXPECT_FALSE(site.pin().stale());
  EXPECT_EQ(op.pin({4}).variant(), 1u);
  EXPECT_EQ(op.explain({4}).incumbent, "b");
}

TEST(MaxKeys, AreNotUsedUpByAsking) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.max_keys = 1;
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  for (int m = 0; m < 10; ++m) {
    op.explain({m});
    op.select_known({m});
  }
  EXPECT_EQ(op.counters().keys, 0u);
  EXPECT_TRUE(op.select({42}).timed());
}

}  // namespace
}  // namespace adaptive

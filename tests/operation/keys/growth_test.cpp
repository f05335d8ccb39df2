// Tests many keys: the index grows while it is read and loses no key.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/base/effort.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(Growth, KeepsThousandsOfKeysApart) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.dimensions = {{"m"}, {"n"}};
  spec.nearest_limit = -1.0;
  Selector selector(test::options_with<test::Steady>());
  Operation& op = selector.define(spec);
  constexpr std::int64_t keys = test::inputs(10'000);
  const auto key = [](std::int64_t i) { return Key{i % 100, (i / 100) << 20}; };
  std::vector<Site> sites;
  for (std::int64_t i = 0; i < keys; ++i) {
    const Decision decision = op.select(key(i));
    ASSERT_TRUE(decision.timed());
    op.record(decision, Latency(100.0 + static_cast<double>(i)));
    sites.push_back(op.site(key(i)));
  }
  EXPECT_EQ(op.counters().keys, static_cast<std::uint64_t>(keys));
  for (std::int64_t i = 0; i < keys; i += 7) {
    ASSERT_DOUBLE_EQ(op.explain(key(i)).candidates.at(0).mean_ns, 100.0 + static_cast<double>(i));
    ASSERT_TRUE(op.select(key(i)).timed());
    ASSERT_TRUE(sites[static_cast<std::size_t>(i)].select().timed());
  }
  EXPECT_EQ(op.counters().keys, static_cast<std::uint64_t>(keys));
}

TEST(Growth, KeepsKeysOfEveryArityApart) {
  Selector selector(test::options_with<test::Steady>());
  for (std::size_t arity = 1; arity <= Key::capacity; ++arity) {
    OperationSpec spec = test::operation({"a"}, "op" + std::to_string(arity));
    spec.dimensions.clear();
    for (std::size_t d = 0; d < arity; ++d) spec.dimensions.push_back({"d" + std::to_string(d)});
    Operation& op = selector.define(spec);
    std::vector<std::int64_t> values(arity, 1);
    for (std::int64_t i = 0; i < 200; ++i) {
      values.back() = i;
      op.record(op.select(Key(values)), Latency(1.0 + static_cast<double>(i)));
    }
    for (std::int64_t i = 0; i < 200; ++i) {
      values.back() = i;
      ASSERT_DOUBLE_EQ(op.explain(Key(values)).candidates.at(0).mean_ns, 1.0 + static_cast<double>(i))
          << arity;
    }
  }
}

}  // namespace
}  // namespace adaptive

// The values of the C interface are those of the C++ interface.
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "c/handles.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::test {
namespace {

TEST(CHandles, DecisionsAndPinsHaveTheSameMembersOnBothSides) {
  Selector selector(options_with<RoundRobin>());
  Operation& op = selector.define(operation({"a", "b"}));
  const Decision first = op.select({7});
  const Decision second = op.select({7});
  for (const Decision& decision : {first, second}) {
    const adaptive_decision value = c::to_c(decision);
    EXPECT_EQ(value.variant, decision.variant());
    EXPECT_EQ(value.ticket != 0, decision.timed());
    EXPECT_NE(value.key, nullptr);
  }
  EXPECT_NE(c::to_c(first).variant, c::to_c(second).variant);
  op.record(c::from_c(c::to_c(first)), Latency(1e6));
  EXPECT_EQ(op.counters().results, 1u);

  const Pin pin = op.pin({7});
  EXPECT_EQ(c::to_c(pin).variant, pin.variant());
  EXPECT_FALSE(c::from_c(c::to_c(pin)).stale());
  const Forced forced = op.force(pin.variant() == 0 ? "b" : "a");
  EXPECT_TRUE(c::from_c(c::to_c(pin)).stale());
  EXPECT_TRUE(adaptive_pin_stale(c::to_c(pin)));
}

TEST(CHandles, ADecisionThatTeachesNothingHasNoKey) {
  Selector selector(options());
  Operation& op = selector.define(operation({"a", "b"}));
  EXPECT_EQ(c::to_c(op.select({1, 2})).key, nullptr);  // the key has the wrong number of values
  EXPECT_EQ(c::to_c(Decision()).ticket, 0u);
}

TEST(CHandles, NoExceptionLeavesAFunction) {
  EXPECT_EQ(c::guarded([] {}), ADAPTIVE_OK);
  EXPECT_EQ(c::guarded([] { throw Error(ErrorCode::locked, "is locked", "table.json", "try again"); }),
            ADAPTIVE_LOCKED);
  EXPECT_STREQ(adaptive_last_error(), "table.json: is locked; try again");
  EXPECT_EQ(c::guarded([] { throw std::bad_alloc(); }), ADAPTIVE_OUT_OF_MEMORY);
  EXPECT_EQ(c::guarded([] { throw std::runtime_error("broken"); }), ADAPTIVE_FAILED);
  EXPECT_STREQ(adaptive_last_error(), "broken");
  EXPECT_EQ(c::guarded([] { throw 7; }), ADAPTIVE_FAILED);
}

TEST(CHandles, EachErrorCodeHasTheNameOfItsStatus) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::failed); ++code) {
    const auto error = static_cast<ErrorCode>(code);
    const adaptive_status status = c::failed(Error(error, "problem", "where"));
    EXPECT_EQ(adaptive_status_name(status), std::string(to_string(error)));
  }
}

}  // namespace
}  // namespace adaptive::test

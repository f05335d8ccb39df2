// Tests select, launch and record in one call for a host function.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Run : public testing::Test {
 protected:
  Selector selector_{test::options_with<test::Steady>()};
  Operation& op_ = selector_.define(test::operation({"a", "b"}));
};

TEST_F(Run, RecordsAFunctionThatReturnsNothing) {
  int calls = 0;
  run(op_, {8}, [&](std::uint32_t variant) {
    EXPECT_EQ(variant, 0u);
    ++calls;
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(op_.counters().results, 1u);
}

TEST_F(Run, ReturnsAValue) {
  EXPECT_EQ(run(op_, {8}, [](std::uint32_t) { return std::string("result"); }), "result");
  EXPECT_EQ(op_.counters().results, 1u);
}

TEST_F(Run, ReturnsAReferenceAsOne) {
  int value = 1;
  decltype(auto) result = run(op_, {8}, [&](std::uint32_t) -> int& { return value; });
  static_assert(std::is_same_v<decltype(result), int&>);
  EXPECT_EQ(&result, &value);
}

TEST_F(Run, ReturnsWhatCannotBeCopied) {
  const std::unique_ptr<int> result = run(op_, {8}, [](std::uint32_t) { return std::make_unique<int>(7); });
  EXPECT_EQ(*result, 7);
}

TEST_F(Run, GivesTheDecisionWhereAskedFor) {
  EXPECT_TRUE(run(op_, {8}, [](const Decision& decision) { return decision.timed(); }));
}

TEST_F(Run, TakesAFunctionThatCanBeCalledOnce) {
  struct Once {
    int operator()(std::uint32_t) && { return 3; }
  };
  EXPECT_EQ(run(op_, {8}, Once{}), 3);
}

TEST_F(Run, SetsAVariantThatThrowsAsideAndThrowsOn) {
  EXPECT_THROW(run(op_, {8}, [](std::uint32_t) -> int { throw std::logic_error("no memory on the device"); }),
               std::logic_error);
  EXPECT_EQ(op_.counters().failures, 1u);
  EXPECT_EQ(op_.counters().results, 0u);
  EXPECT_EQ(run(op_, {8}, [](std::uint32_t variant) { return variant; }), 1u);
}

TEST_F(Run, InADestructorDuringUnwindingIsNoFailure) {
  struct AtExit {
    Operation& op;
    ~AtExit() {
      run(op, {8}, [](std::uint32_t) {});
    }
  };
  try {
    const AtExit guard{op_};
    throw std::runtime_error("elsewhere");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(op_.counters().failures, 0u);
  EXPECT_EQ(op_.counters().results, 1u);
}

TEST_F(Run, DoesNotTimeWhatIsNotWanted) {
  selector_.set_mode(Mode::frozen);
  run(op_, {8}, [](std::uint32_t) {});
  EXPECT_EQ(op_.counters().results, 0u);
}

TEST_F(Run, Nests) {
  Operation& inner = selector_.define(test::operation({"x"}, "inner"));
  run(op_, {8}, [&](std::uint32_t) { run(inner, {1}, [](std::uint32_t) {}); });
  EXPECT_EQ(op_.counters().results, 1u);
  EXPECT_EQ(inner.counters().results, 1u);
}

}  // namespace
}  // namespace adaptive

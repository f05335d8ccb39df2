// Tests keys with the wrong number of values: set-up refuses them, launches tolerate them.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class WrongArity : public testing::Test {
 protected:
  WrongArity() {
    SelectorOptions options = test::options();
    options.log = log_.callback();
    selector_ = std::make_unique<Selector>(options);
    op_ = &selector_->define(test::operation({"a", "b"}));
  }
  test::Log log_;
  std::unique_ptr<Selector> selector_;
  Operation* op_;
};

TEST_F(WrongArity, IsRefusedAtSetUp) {
  for (const Key& key : {Key{}, Key{1, 2}}) {
    EXPECT_THROW(op_->site(key), Error);
    EXPECT_THROW(op_->explain(key), Error);
    EXPECT_THROW(op_->reset(key), Error);
  }
  try {
    op_->explain({1, 2});
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "op");
    EXPECT_NE(error.problem().find("2 values"), std::string::npos) << error.what();
    EXPECT_NE(error.problem().find("1 dimension"), std::string::npos) << error.what();
  }
}

TEST_F(WrongArity, RunsTheDefaultCountedAndSaidOnce) {
  const std::vector<std::int64_t> thirteen(13, 1);
  for (const Key& key : {Key{}, Key{1, 2}, Key{std::span<const std::int64_t>(thirteen)}})
    for (int i = 0; i < 10; ++i) {
      const Decision decision = op_->select(key);
      EXPECT_EQ(decision.variant(), 0u);
      EXPECT_FALSE(decision.timed());
    }
  EXPECT_EQ(op_->counters().wrong_arity, 30u);
  EXPECT_EQ(op_->counters().keys, 0u);
  EXPECT_EQ(log_.count("wrong number of values"), 1u) << log_.text();
}

TEST_F(WrongArity, IsSurvivedByEverythingElse) {
  const std::vector<std::int64_t> thirteen(13, 1);
  for (const Key& key : {Key{}, Key{1, 2}, Key{std::span<const std::int64_t>(thirteen)}}) {
    const Pin pin = op_->pin(key);
    EXPECT_EQ(pin.variant(), 0u);
    EXPECT_FALSE(pin.stale());
    EXPECT_FALSE(op_->select_known(key).has_value());
    op_->record(key, 0, Latency(100.0));
    const Decision decision = op_->select(key);
    op_->record(decision, Latency(100.0));
    op_->fail(decision);
  }
  EXPECT_EQ(op_->counters().results, 0u);
  EXPECT_EQ(op_->counters().keys, 0u);
}

TEST_F(WrongArity, IsCountedWhereverItHappens) {
  op_->select({1, 2});
  op_->pin({1, 2});
  op_->select_known({1, 2});
  op_->record(Key{1, 2}, 0, Latency(100.0));
  EXPECT_EQ(op_->counters().wrong_arity, 4u);
}

}  // namespace
}  // namespace adaptive

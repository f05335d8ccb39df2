// What the program hands in may throw: a launch never sees it.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

struct Outcome {
  std::size_t logged = 0;
  std::uint64_t keys = 0;
  std::uint64_t exceptions = 0;
};

Outcome call_everything(OperationSpec spec, SelectorOptions options) {
  test::Log log;
  if (!options.log) options.log = log.callback();
  Selector selector(options);
  Operation& op = selector.define(std::move(spec));
  for (int i = 0; i < 20; ++i) {
    const Decision decision = op.select({i % 3});
    EXPECT_EQ(decision.variant(), 0u);
    op.record(decision, Latency(100.0));
    op.fail(decision);
    op.record(Key{i % 3}, 1, Latency(100.0));
    EXPECT_EQ(op.pin({i % 3}).variant(), 0u);
    EXPECT_FALSE(op.select_known({i % 3}).has_value());
  }
  EXPECT_EQ(op.site({1}).select().variant(), 0u);
  return {log.count("could not be set up"), op.counters().keys};
}

TEST(Callbacks, SupportsMayThrow) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [](const Key&) -> bool { throw std::runtime_error("device is gone"); };
  const Outcome outcome = call_everything(spec, test::options());
  EXPECT_EQ(outcome.keys, 0u);
  EXPECT_EQ(outcome.logged, 1u);
}

TEST(Callbacks, MayThrowWhatIsNoException) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [](const Key&) -> bool { throw 42; };
  EXPECT_EQ(call_everything(spec, test::options()).logged, 1u);
}

TEST(Callbacks, CandidatesMayThrow) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.candidates = [](const Key&) -> std::vector<std::uint32_t> { throw std::runtime_error("no idea"); };
  EXPECT_EQ(call_everything(spec, test::options()).logged, 1u);
}

TEST(Callbacks, DefaultVariantMayThrow) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.default_variant = [](const Key&) -> std::uint32_t { throw std::runtime_error("no idea"); };
  EXPECT_EQ(call_everything(spec, test::options()).logged, 1u);
}

TEST(Callbacks, ThePolicyFactoryMayThrowOrGiveNothing) {
  SelectorOptions options = test::options();
  options.policy = []() -> std::unique_ptr<Policy> { throw std::runtime_error("no policy"); };
  EXPECT_EQ(call_everything(test::operation({"a", "b"}), options).logged, 1u);
  options.policy = []() -> std::unique_ptr<Policy> { return nullptr; };
  EXPECT_EQ(call_everything(test::operation({"a", "b"}), options).logged, 1u);
}

TEST(Callbacks, TheLogMayThrow) {
  SelectorOptions options = test::options();
  int lines = 0;
  options.log = [&](LogLevel, std::string_view) {
    ++lines;
    throw std::runtime_error("disk full");
  };
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [](const Key&) -> bool { throw std::runtime_error("device is gone"); };
  call_everything(spec, options);
  EXPECT_GT(lines, 0);
}

TEST(Callbacks, TheLogMayThrowAtAPromotion) {
  SelectorOptions options = test::options();
  options.log = [](LogLevel, std::string_view) { throw std::runtime_error("disk full"); };
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  test::learn(op, {8}, {200, 100});
  EXPECT_EQ(test::incumbent(op, {8}), 1u);
  EXPECT_EQ(op.explain({8}).history.size(), 1u);
}

TEST(Callbacks, AKeyIsLearnedOnceItsCallbacksAnswer) {
  bool works = false;
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [&](const Key&) {
    if (!works) throw std::runtime_error("not yet");
    return true;
  };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  EXPECT_FALSE(op.select({8}).timed());
  works = true;
  EXPECT_TRUE(op.select({8}).timed());
}

// Answers beyond what was asked for.
class Wild final : public Policy {
 public:
  Choice choose(const KeyStatistics&, Random& random) noexcept override {
    return {static_cast<std::uint32_t>(random()), true};
  }
  Rest rest(const KeyStatistics&) const noexcept override {
    return {~0u, std::numeric_limits<double>::quiet_NaN()};
  }
};

TEST(Callbacks, APolicyMayAnswerNonsense) {
  Selector selector(test::options_with<Wild>());
  Operation& op = selector.define(test::operation({"a", "b"}));
  for (int i = 0; i < 100; ++i) {
    const Decision decision = op.select({8});
    ASSERT_LT(decision.variant(), 2u);
    op.record(decision, Latency(100.0));
  }
}

}  // namespace
}  // namespace adaptive

// Tests that exceptions of the program's functions never reach a launch.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

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

// The key that a callback asks about is the one that has just changed, so its lock must be free.
TEST(Callbacks, TheLogMayAskAboutTheKeyThatItIsToldOf) {
  Operation* op = nullptr;
  std::vector<std::string> said;
  SelectorOptions options = test::options();
  options.log = [&](LogLevel, std::string_view line) {
    if (line.find("->") == std::string_view::npos) return;
    said.push_back(op->explain({8}).incumbent);
    static_cast<void>(op->counters());
    op->record(Key{8}, 0, Latency(200.0));
  };
  Selector selector(options);
  op = &selector.define(test::operation({"a", "b", "c"}));
  test::learn(*op, {8}, {200, 100, 150});
  EXPECT_EQ(said, std::vector<std::string>{"b"}) << "a promotion";
  op->enable("b", false);
  EXPECT_EQ(said, (std::vector<std::string>{"b", "c"})) << "disabled";
  op->fail(op->pin({8}).decision());
  EXPECT_EQ(said, (std::vector<std::string>{"b", "c", "a"})) << "failed";
}

// Creating and destroying a policy runs code of the program too. It may ask about the key of the policy.
class Curious final : public Policy {
 public:
  explicit Curious(std::function<void()> ask) : ask_(std::move(ask)) { ask_(); }
  ~Curious() override { ask_(); }
  Choice choose(const KeyStatistics& key, Random&) noexcept override { return {key.incumbent, true}; }

 private:
  std::function<void()> ask_;
};

TEST(Callbacks, APolicyMayLaunchWhereItIsMadeAndWhereItEnds) {
  Operation* op = nullptr;
  std::uint64_t asked = 0;
  SelectorOptions options = test::options();
  options.policy = [&] {
    return std::make_unique<Curious>([&] {
      ++asked;
      if (op != nullptr) op->record(Key{8}, 0, Latency(100.0));
    });
  };
  {
    Selector selector(options);
    Operation& defined = selector.define(test::operation({"a", "b"}));
    defined.select({8});
    op = &defined;
    op->reset();
    EXPECT_TRUE(op->reset({8}));
    EXPECT_EQ(op->counters().results_dropped, 0u) << "the lock was free whenever the program was asked";
    op = nullptr;
  }
  EXPECT_EQ(asked, 6u) << "three policies, each made and ended";
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

// Answers beyond the requested ones.
class Wild final : public Policy {
 public:
  Choice choose(const KeyStatistics&, Random& random) noexcept override {
    return {static_cast<std::uint32_t>(random()), true};
  }
  Unconsulted unconsulted(const KeyStatistics&) const noexcept override {
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

// The same with the only answer that is of use in the plan.
class Stray final : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    return {static_cast<std::uint32_t>(key.size()), true};
  }
  Unconsulted unconsulted(const KeyStatistics&) const noexcept override { return {~0u, 1.0}; }
};

TEST(Callbacks, APolicyThatChoosesWhatDoesNotExistIsCountedAndToldOnce) {
  test::Log log;
  SelectorOptions options = test::options_with<Stray>();
  options.log = log.callback();
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  for (int i = 0; i < 100; ++i) {
    const Decision decision = op.select({8});
    ASSERT_LT(decision.variant(), 2u);
    op.record(decision, Latency(100.0));
  }
  EXPECT_EQ(op.counters().choices_invalid, 100u);
  EXPECT_EQ(log.count("the policy chose a candidate that does not exist", LogLevel::error), 1u) << log.text();
}

// Always chooses the last candidate, whether or not it can be used.
class Stubborn final : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    return {static_cast<std::uint32_t>(key.size()) - 1, true};
  }
};

TEST(Callbacks, APolicyThatChoosesWhatIsNotAvailableIsCountedAndToldOnce) {
  test::Log log;
  SelectorOptions options = test::options_with<Stubborn>();
  options.log = log.callback();
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(op.select({8}).variant(), 1u);
  EXPECT_EQ(op.counters().choices_invalid, 0u);
  op.enable("b", false);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(op.select({8}).variant(), 0u);
  EXPECT_EQ(op.counters().choices_invalid, 10u);
  EXPECT_EQ(log.count("the policy chose"), 1u) << log.text();
  op.fail(op.select({8}));
  const std::uint64_t before = op.counters().choices_invalid;
  op.select({8});
  EXPECT_EQ(op.counters().choices_invalid, before) << "nothing is available that it could have chosen";
}

TEST(Callbacks, ThePoliciesOfTheLibraryChooseOnlyWhatIsAvailable) {
  for (const std::string_view name : policy_names()) {
    SelectorOptions options = test::options();
    options.policy = make_policy(name);
    Selector selector(options);
    Operation& op = selector.define(test::operation({"a", "b", "c", "d"}));
    test::launch(op, {8}, {400, 100, 300, 200}, 50);
    op.enable("b", false);
    test::launch(op, {8}, {400, 100, 300, 200}, 50);
    op.fail(op.select({8}));
    op.enable("d", false);
    test::launch(op, {8}, {400, 100, 300, 200}, 200);
    EXPECT_EQ(op.counters().choices_invalid, 0u) << name;
  }
}

}  // namespace
}  // namespace adaptive

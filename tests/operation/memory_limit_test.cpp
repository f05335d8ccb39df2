// Tests Variant::memory and the memory limit: what runs, what pins refer to, and what is said.

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

constexpr std::uint64_t no_limit = LearningOptions::no_memory_limit;

// "lean" needs no memory, "packed" 100 bytes for each value of the key, "huge" ten times as many.
OperationSpec three_variants() {
  const auto bytes = [](std::uint64_t each) {
    return [each](const Key& key) { return each * static_cast<std::uint64_t>(key.values()[0]); };
  };
  return {.name = "op",
          .dimensions = {{"m"}},
          .variants = {{.name = "lean"},
                       {.name = "packed", .memory = bytes(100)},
                       {.name = "huge", .memory = bytes(1000)}}};
}

class MemoryLimit : public testing::Test {
 protected:
  static constexpr double lean_ns = 3000.0, packed_ns = 2000.0, huge_ns = 1000.0;

  void learn(const Key& key) { test::learn(op_, key, {lean_ns, packed_ns, huge_ns}); }

  // The variants that a policy runs which tries all.
  std::set<std::string> runs(const Key& key, Operation* op = nullptr) {
    if (op == nullptr) op = &op_;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
      const Decision decision = op->select(key);
      seen.insert(op->variant(decision.variant()).name);
      op->record(decision, Latency(lean_ns));
    }
    return seen;
  }
  std::string pinned(const Key& key) { return op_.variant(test::incumbent(op_, key)).name; }
  static Explanation::Candidate candidate(const Explanation& explanation, const std::string& name) {
    for (const Explanation::Candidate& each : explanation.candidates)
      if (each.name == name) return each;
    throw std::out_of_range(name);
  }

  using Names = std::set<std::string>;
  Selector selector_{test::options_with<test::RoundRobin>()};
  Operation& op_ = selector_.define(three_variants());
};

TEST_F(MemoryLimit, IsOffByDefault) {
  EXPECT_EQ(selector_.memory_limit(), no_limit);
  EXPECT_EQ(runs({1}), (Names{"lean", "packed", "huge"}));
  EXPECT_EQ(candidate(op_.explain({1}), "packed").memory, 100U);
}

TEST_F(MemoryLimit, KeepsVariantsFromBeingTried) {
  selector_.set_memory_limit(500);
  EXPECT_EQ(runs({1}), (Names{"lean", "packed"}));
  EXPECT_EQ(runs({6}), Names{"lean"}) << "600 bytes";
}

TEST_F(MemoryLimit, IsGivenByTheOptions) {
  SelectorOptions options = test::options_with<test::RoundRobin>();
  options.learning.memory_limit = 500;
  Selector selector(options);
  EXPECT_EQ(selector.memory_limit(), 500U);
  EXPECT_EQ(runs({1}, &selector.define(three_variants())), (Names{"lean", "packed"}));
}

TEST_F(MemoryLimit, ReplacesIncumbentsAtOnce) {
  learn({1});
  const Pin pin = op_.pin({1});
  ASSERT_EQ(op_.variant(pin.variant()).name, "huge");
  const std::uint64_t epoch = selector_.epoch();

  selector_.set_memory_limit(500);
  EXPECT_TRUE(pin.stale());
  EXPECT_EQ(pinned({1}), "packed");
  EXPECT_GT(selector_.epoch(), epoch);
  const Explanation explanation = op_.explain({1});
  EXPECT_EQ(explanation.history.back().kind, EventKind::demotion);
  EXPECT_FALSE(candidate(explanation, "huge").available);
  EXPECT_EQ(candidate(explanation, "huge").verdict, "needs 1000 bytes, above the memory limit");
  EXPECT_FALSE(runs({1}).contains("huge"));
}

TEST_F(MemoryLimit, LeavesPinsBelowItAlone) {
  learn({1});
  selector_.set_memory_limit(500);
  const Pin pin = op_.pin({1});
  ASSERT_EQ(op_.variant(pin.variant()).name, "packed");
  selector_.set_memory_limit(100);
  EXPECT_FALSE(pin.stale());
}

TEST_F(MemoryLimit, RaisedAgainLetsVariantsReturn) {
  learn({1});
  selector_.set_memory_limit(0);
  EXPECT_EQ(pinned({1}), "lean");
  selector_.set_memory_limit(no_limit);
  learn({1});
  EXPECT_EQ(pinned({1}), "huge");
}

TEST_F(MemoryLimit, IfAllAreAboveItTheLeastRuns) {
  OperationSpec spec = three_variants();
  spec.name = "no_lean_one";
  spec.variants[0].memory = [](const Key&) { return std::uint64_t{50'000}; };
  Operation& op = selector_.define(std::move(spec));
  selector_.set_memory_limit(10);
  EXPECT_EQ(runs({1}, &op), Names{"packed"});
}

TEST_F(MemoryLimit, AForcedVariantRunsNevertheless) {
  selector_.set_memory_limit(0);
  const Forced forced = op_.force("huge");
  EXPECT_EQ(runs({1}), Names{"huge"});
  EXPECT_EQ(pinned({1}), "huge");
}

TEST_F(MemoryLimit, HoldsInEveryMode) {
  learn({1});
  for (const Mode mode : {Mode::online, Mode::observe, Mode::frozen, Mode::seed, Mode::off}) {
    selector_.set_mode(mode);
    selector_.set_memory_limit(no_limit);
    selector_.set_memory_limit(500);
    EXPECT_FALSE(runs({1}).contains("huge")) << to_string(mode);
    EXPECT_NE(pinned({1}), "huge") << to_string(mode);
  }
}

TEST_F(MemoryLimit, HoldsForKeysWithoutAState) {
  OperationSpec spec = three_variants();
  spec.name = "one_key";
  spec.max_keys = 1;
  std::swap(spec.variants[0], spec.variants[2]);  // the default is "huge"
  Operation& op = selector_.define(std::move(spec));
  runs({1}, &op);
  ASSERT_EQ(runs({2}, &op), Names{"huge"}) << "beyond max_keys";
  const Pin pin = op.pin({2});
  selector_.set_memory_limit(500);
  EXPECT_TRUE(pin.stale());
  EXPECT_FALSE(runs({2}, &op).contains("huge"));
  EXPECT_NE(op.variant(op.pin({2}).variant()).name, "huge");
}

TEST_F(MemoryLimit, CountsVariantsThatComeLater) {
  selector_.set_memory_limit(500);
  runs({1});
  op_.add_variant({.name = "late", .memory = [](const Key&) { return std::uint64_t{501}; }});
  op_.add_variant({.name = "small", .memory = [](const Key&) { return std::uint64_t{499}; }});
  EXPECT_EQ(runs({1}), (Names{"lean", "packed", "small"}));
  EXPECT_EQ(candidate(op_.explain({1}), "late").memory, 501U);
}

TEST_F(MemoryLimit, AFunctionThatThrowsIsLoggedOnce) {
  OperationSpec spec = three_variants();
  spec.variants[1].memory = [](const Key&) -> std::uint64_t { throw std::runtime_error("no"); };
  int errors = 0;
  SelectorOptions options = test::options_with<test::RoundRobin>();
  options.log = [&](LogLevel level, std::string_view) { errors += level == LogLevel::error ? 1 : 0; };
  Selector selector(options);
  Operation& op = selector.define(std::move(spec));
  for (int m = 1; m <= 10; ++m) EXPECT_EQ(op.select({m}).variant(), 0U);
  EXPECT_EQ(errors, 1);
}

TEST_F(MemoryLimit, IsTheReasonOfTheChange) {
  std::vector<std::string> reasons;
  SelectorOptions options = test::options_with<test::RoundRobin>();
  options.on_change = [&](const Change& change) { reasons.push_back(change.reason()); };
  Selector selector(options);
  Operation& op = selector.define(three_variants());
  test::learn(op, {1}, {lean_ns, packed_ns, huge_ns});
  selector.learn();
  reasons.clear();
  selector.set_memory_limit(500);
  selector.learn();
  EXPECT_EQ(reasons, std::vector<std::string>{"huge needs more memory than the limit"});
}

}  // namespace
}  // namespace adaptive

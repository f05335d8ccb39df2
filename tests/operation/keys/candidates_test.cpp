// Tests which variants a key tries, which one is its default, and how many are explored.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

std::set<std::uint32_t> tried(Operation& op, const Key& key, int calls = 200) {
  std::set<std::uint32_t> seen;
  for (int i = 0; i < calls; ++i) {
    const Decision decision = op.select(key);
    seen.insert(decision.variant());
    op.record(decision, Latency(100.0 + 10.0 * decision.variant()));
  }
  return seen;
}

using Set = std::set<std::uint32_t>;

TEST(Candidates, AreTheSupportedVariants) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.variants[1].supports = [](const Key& key) { return key[0] % 64 == 0; };
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(spec);
  EXPECT_EQ(tried(op, {63}), (Set{0, 2}));
  EXPECT_EQ(tried(op, {64}), (Set{0, 1, 2}));
  EXPECT_EQ(op.explain({63}).unsupported, std::vector<std::string>{"b"});
}

TEST(Candidates, AreAskedForSupportOncePerKey) {
  std::map<std::int64_t, int> asked;
  OperationSpec spec = test::operation({"a", "b"});
  for (Variant& variant : spec.variants)
    variant.supports = [&](const Key& key) {
      ++asked[key[0] * 2 + (&variant == &spec.variants[1])];
      return true;
    };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  for (int i = 0; i < 100; ++i) op.select({i % 3});
  EXPECT_EQ(asked.size(), 6u);
  for (const auto& [key, times] : asked) EXPECT_EQ(times, 1) << key;
}

TEST(Candidates, DefaultIsTheFirstThatCanRun) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.variants[0].supports = [](const Key&) { return false; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.select({8}).variant(), 1u);
  selector.set_mode(Mode::off);
  EXPECT_EQ(op.select({8}).variant(), 1u);
}

TEST(Candidates, WithoutAnyThatCanRunTheDefaultRunsCountedAndSaidOnce) {
  test::Log log;
  SelectorOptions options = test::options();
  options.log = log.callback();
  OperationSpec spec = test::operation({"a", "b"});
  for (Variant& variant : spec.variants) variant.supports = [](const Key&) { return false; };
  Selector selector(options);
  Operation& op = selector.define(spec);
  for (int m = 1; m <= 3; ++m)
    for (int i = 0; i < 10; ++i) EXPECT_EQ(op.select({m}).variant(), 0u);
  EXPECT_EQ(op.counters().unsupported, 3u);
  EXPECT_EQ(log.count("no variant supports"), 1u) << log.text();
  EXPECT_EQ(log.count("m=1"), 1u) << "names the key";
}

TEST(Candidates, AreNamedByTheProgramInOrder) {
  OperationSpec spec = test::operation({"a", "b", "c", "d"});
  spec.candidates = [](const Key& key) {
    return key[0] < 10 ? std::vector<std::uint32_t>{3, 1} : std::vector<std::uint32_t>{2};
  };
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.select({8}).variant(), 3u) << "its first is the key's default";
  EXPECT_EQ(tried(op, {8}), (Set{1, 3}));
  EXPECT_EQ(tried(op, {80}), (Set{2}));
  selector.set_mode(Mode::off);
  EXPECT_EQ(op.select({8}).variant(), 3u);
}

TEST(Candidates, FirstSupportedOneIsTheDefault) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.candidates = [](const Key&) { return std::vector<std::uint32_t>{2, 1}; };
  spec.variants[2].supports = [](const Key&) { return false; };
  Selector selector(test::options());
  EXPECT_EQ(selector.define(spec).select({8}).variant(), 1u);
}

TEST(Candidates, ThatDoNotExistOrAreNamedTwiceAreLeftOut) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.candidates = [](const Key&) { return std::vector<std::uint32_t>{99, 1, 1, ~0u, 0}; };
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(spec);
  EXPECT_EQ(tried(op, {8}), (Set{0, 1}));
  EXPECT_EQ(op.explain({8}).candidates.size(), 2u);
}

TEST(Candidates, OfWhichNoneExistsLeaveTheDefault) {
  for (const std::vector<std::uint32_t>& named : {std::vector<std::uint32_t>{}, {99}, {~0u, 7}}) {
    OperationSpec spec = test::operation({"a", "b"});
    spec.candidates = [named](const Key&) { return named; };
    Selector selector(test::options());
    EXPECT_EQ(selector.define(spec).select({8}).variant(), 0u);
  }
}

// A library that names its algorithms key by key: the operation gets variants while the program is asked.
TEST(Candidates, MayBeAppendedWhileTheyAreNamed) {
  Operation* grown = nullptr;
  OperationSpec spec = test::operation({"a"});
  spec.nearest_limit = -1;  // what one key learns is no start for the next
  spec.candidates = [&](const Key& key) -> std::vector<std::uint32_t> {
    const std::string name = "of_" + std::to_string(key[0]);
    const auto known = grown->find_variant(name);
    return {known ? *known : grown->add_variant({.name = name}), 0};
  };
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(spec);
  grown = &op;
  EXPECT_EQ(op.select({8}).variant(), 1u);
  EXPECT_EQ(tried(op, {8}), (Set{0, 1}));
  EXPECT_EQ(op.explain({16}).incumbent, "of_16") << "explaining asks as well";
  EXPECT_EQ(op.select_known({32}), std::nullopt);
  EXPECT_EQ(op.site({16}).select().variant(), 2u);
  EXPECT_EQ(op.variant_count(), 4u);
}

TEST(Candidates, MayBeAppendedWhileOtherThreadsAppendToo) {
  Operation* grown = nullptr;
  OperationSpec spec = test::operation({"a"});
  spec.candidates = [&](const Key& key) -> std::vector<std::uint32_t> {
    return {0, grown->add_variant({.name = "asked_" + std::to_string(key[0])})};
  };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  grown = &op;
  std::thread other([&] {
    for (int i = 0; i < 200; ++i) op.add_variant({.name = "other_" + std::to_string(i)});
  });
  for (int m = 1; m <= 200; ++m) op.site({m});
  other.join();
  EXPECT_EQ(op.variant_count(), 401u);
}

TEST(DefaultVariant, IsAskedByKey) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.default_variant = [](const Key& key) { return key[0] < 10 ? 2u : 1u; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.select({8}).variant(), 2u);
  EXPECT_EQ(op.select({80}).variant(), 1u);
  selector.set_mode(Mode::off);
  EXPECT_EQ(op.select({8}).variant(), 2u);
}

TEST(DefaultVariant, ThatCannotRunIsNotUsed) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.variants[2].supports = [](const Key&) { return false; };
  spec.default_variant = [](const Key& key) { return key[0] < 10 ? 2u : 99u; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.select({8}).variant(), 0u);
  EXPECT_EQ(op.select({80}).variant(), 0u);
}

TEST(CandidatesMax, ExploresThoseWithTheBestPriorsAndTheDefault) {
  SelectorOptions options = test::options_with<test::RoundRobin>();
  options.learning.candidates_max = 3;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c", "d", "e", "f"}));
  EXPECT_EQ(tried(op, {8}).size(), 6u) << "nothing is known yet: all of them";
  op.reset();
  const std::vector<double> ns = {600, 500, 100, 400, 200, 300};
  for (std::uint32_t i = 0; i < 6; ++i)
    for (int n = 0; n < 5; ++n) op.record(Key{8}, i, Latency(ns[i]));
  EXPECT_EQ(tried(op, {9}), (Set{0, 2, 4}));
}

}  // namespace
}  // namespace adaptive

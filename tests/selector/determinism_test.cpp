// Tests that the same seed and the same calls give the same decisions.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

struct Step {
  std::uint32_t variant;
  bool timed;
  bool operator==(const Step&) const = default;
};

// Several keys with late results. The run is long enough for calls to be sampled at the settled rate. What a
// worker thread would do at any time is done by `learn` between the calls.
std::vector<Step> run(std::uint64_t seed, const char* policy = "default") {
  SelectorOptions options = test::options();
  options.seed = seed;
  options.policy = make_policy(policy);
  options.background = false;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c", "d"}));
  Operation& other = selector.define(test::operation({"a", "b"}, "other"));
  Random random(99);
  std::vector<Step> steps;
  std::vector<std::pair<Decision, double>> out;
  for (int i = 0; i < 12'000; ++i) {
    const Key key{1 << (i % 5)};
    const Decision decision = op.select(key);
    steps.push_back({decision.variant(), decision.timed()});
    if (decision.timed())
      out.emplace_back(decision, test::noisy(random, 100.0 + 20.0 * decision.variant(), 0.03));
    if (out.size() == 3) {
      for (auto& [late, ns] : out) op.record(late, Latency(ns));
      out.clear();
    }
    const Decision elsewhere = other.select({i % 7});
    steps.push_back({elsewhere.variant(), elsewhere.timed()});
    other.record(elsewhere, Latency(100.0));
    selector.learn();
  }
  return steps;
}

TEST(Determinism, HoldsForEveryPolicy) {
  for (const std::string_view policy : policy_names()) {
    const std::vector<Step> first = run(7, std::string(policy).c_str());
    EXPECT_EQ(first, run(7, std::string(policy).c_str())) << policy;
    // Otherwise the run would not have tested the settled rate.
    EXPECT_FALSE(std::all_of(first.end() - 2000, first.end(), [](const Step& s) { return s.timed; }))
        << policy;
  }
}

TEST(Determinism, DependsOnTheSeed) {
  EXPECT_NE(run(1, "thompson"), run(2, "thompson"));
}

TEST(Determinism, HoldsOnAnyThread) {
  const std::vector<Step> here = run(7);
  std::vector<Step> first;
  std::vector<Step> second;
  std::thread([&] {
    first = run(7);
    second = run(7);
  }).join();
  EXPECT_EQ(first, here) << "the first run of a new thread";
  EXPECT_EQ(second, here);
}

TEST(Determinism, OfAKeyDoesNotDependOnTheOthers) {
  // Compares the calls before the settled rate only: at the settled rate, samples are drawn from the calls of
  // the whole operation.
  const auto first_calls = [](int others) {
    Selector selector(test::options_with<test::RoundRobin>());
    Operation& op = selector.define(test::operation({"a", "b", "c"}));
    std::vector<std::uint32_t> seen;
    for (int i = 0; i < 30; ++i) {
      for (int o = 0; o < others; ++o) op.select({1000 + o * 1000});
      seen.push_back(op.select({8}).variant());
    }
    return seen;
  };
  EXPECT_EQ(first_calls(0), first_calls(5));
}

}  // namespace
}  // namespace adaptive

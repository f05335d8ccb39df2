// What a program's own policy can rely on.
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "replay/environments/environment.hpp"
#include "replay/policies.hpp"
#include "replay/runner.hpp"

namespace adaptive {
namespace {

using replay::Outcome;
using replay::RunOptions;
using replay::Synthetic;

// As a user would write it.
class TwoOfEachThenTheBest : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    for (std::uint32_t i = 0; i < key.size(); ++i)
      if (key[i].available && key[i].count + key[i].pending < 2) return {i};
    return {key.leader()};
  }
};

TEST(OwnPolicy, NeedsNothingButChoose) {
  RunOptions how;
  how.policy = policy_of<TwoOfEachThenTheBest>();
  how.calls = 3'000;
  how.keep_choices = true;
  Synthetic environment({});
  const Outcome outcome = replay::run(environment, how, 1);
  EXPECT_LE(outcome.gap_leader, replay::tie);
  EXPECT_EQ(outcome.launched_variants, 8U);
  EXPECT_LT(outcome.overhead_end, 0.004);
  for (std::size_t call = 0; call < 16; ++call) EXPECT_EQ(outcome.choices[call], call / 2 * 2 + 1) << call;
}

class AsksForNonsense : public Policy {
 public:
  Choice choose(const KeyStatistics&, Random&) noexcept override { return {12'345}; }
};

TEST(OwnPolicy, ThatAsksForNonsenseGetsTheIncumbent) {
  RunOptions how;
  how.policy = policy_of<AsksForNonsense>();
  how.calls = 200;
  Synthetic environment({});
  const Outcome outcome = replay::run(environment, how, 1);
  EXPECT_EQ(outcome.launched_variants, 1U);
  EXPECT_EQ(outcome.counters.results, 200U);
}

class NeverTimes : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override { return {key.incumbent, false}; }
};

TEST(OwnPolicy, ThatTimesNothingLearnsNothing) {
  RunOptions how;
  how.policy = policy_of<NeverTimes>();
  how.calls = 200;
  Synthetic environment({});
  const Outcome outcome = replay::run(environment, how, 1);
  EXPECT_EQ(outcome.timed_share, 0.0);
  EXPECT_EQ(outcome.counters.results, 0U);
}

// Keeps what it likes, one object per key.
class Remembers : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    return {static_cast<std::uint32_t>(observed_ % key.size())};
  }
  void observe(KeyStatistics&, const Sample&) noexcept override { ++observed_; }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }

 private:
  std::size_t observed_ = 0;
};

TEST(OwnPolicy, HasAnObjectPerKey) {
  SelectorOptions how;
  how.device = {};
  how.policy = policy_of<Remembers>();
  how.use_environment = false;
  Selector selector(how);
  Operation& operation = selector.define({.name = "simulated",
                                          .dimensions = {{"size"}},
                                          .variants = {{.name = "a"}, {.name = "b"}, {.name = "c"}}});
  for (std::uint32_t call = 0; call < 9; ++call) {
    const Decision first = operation.select({1});
    const Decision second = operation.select({1'000'000});
    EXPECT_EQ(first.variant(), call % 3);
    EXPECT_EQ(second.variant(), 0U) << "no result of this key has been recorded";
    operation.record(first, Latency(1'000.0 + first.variant()));
  }
}

TEST(PolicyNames, OfReplayAreThoseOfTheLibraryAndTheTextbooks) {
  const std::vector<std::string_view>& all = replay::policy_names();
  const std::vector<std::string_view>& of_library = policy_names();
  ASSERT_GT(all.size(), of_library.size());
  EXPECT_TRUE(std::equal(of_library.begin(), of_library.end(), all.begin()));
  for (const std::string_view name : all) EXPECT_NE(replay::make_policy(name)(), nullptr) << name;
  EXPECT_THROW(static_cast<void>(make_policy("kl-ucb")), Error);
  try {
    static_cast<void>(replay::make_policy("no-such-policy"));
    FAIL();
  } catch (const Error& e) {
    for (const std::string_view name : all)
      EXPECT_NE(std::string_view(e.what()).find(name), std::string_view::npos) << e.what();
  }
}

TEST(PolicyNames, AreKnownAndTheDefaultIsTheFirst) {
  ASSERT_FALSE(policy_names().empty());
  EXPECT_EQ(policy_names().front(), "default");
  for (const std::string_view name : policy_names()) EXPECT_NE(make_policy(name)(), nullptr) << name;
  try {
    static_cast<void>(make_policy("no-such-policy"));
    FAIL();
  } catch (const Error& e) {
    for (const std::string_view name : policy_names())
      EXPECT_NE(std::string_view(e.what()).find(name), std::string_view::npos) << e.what();
  }
}

}  // namespace
}  // namespace adaptive

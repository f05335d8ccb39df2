// Tests learning under replay against a simulated GPU: what runs, what is timed, and to whom a latency
// belongs.
#include "cuda/graph/replay/learner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/cuda/host/replay_fixture.hpp"

namespace adaptive::inline v1::cuda {
namespace {

using test::SimulatedReplays;
using Form = ReplayDriver::Form;
using ReplayLearnerTest = test::ReplayTest;

TEST_F(ReplayLearnerTest, EveryCandidateRunsInAReplayAndGetsItsOwnLatency) {
  begin(test::options_with<test::RoundRobin>(), 3, {"a", "b", "c"});
  for (int i = 0; i < 60; ++i) replay();
  for (std::size_t launch = 0; launch < 3; ++launch)
    for (std::uint32_t v = 0; v < 3; ++v) {
      EXPECT_GT(results(launch, v), 5u);
      EXPECT_DOUBLE_EQ(op_->explain(key(launch)).candidates.at(v).mean_ns, driver_.is.ns(launch, v));
    }
  EXPECT_EQ(driver_.made, 1u) << "one executable covers three launches of one form";
  EXPECT_GT(counters().explored, 0u);
  expect_adds_up();
  expect_bound();
}

TEST_F(ReplayLearnerTest, TheFirstReplayOfAnExecutableIsNotTimed) {
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  EXPECT_EQ(replay(), base_) << "it runs the incumbents";
  EXPECT_EQ(counters().looking, 1u);
  EXPECT_EQ(counters().looks, 0u);
  EXPECT_EQ(counters().waiting, 2u);
  replay();
  EXPECT_EQ(counters().looks, 2u);
  replay();
  EXPECT_EQ(counters().recorded, 2u);
  EXPECT_EQ(counters().lost, 0u);
}

TEST_F(ReplayLearnerTest, WithRecordsTheFirstReplayHasLatencies) {
  driver_.is.times_first = true;
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  replay();
  EXPECT_EQ(counters().looks, 2u);
}

TEST_F(ReplayLearnerTest, NothingIsAskedWhileTheExecutableIsInFlight) {
  driver_.is.runs_for = [] { return std::uint64_t{10}; };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"}, {.executables_max = 1});
  for (int i = 0; i < 100; ++i) replay();
  // The simulated GPU reports a change or a launch of an executable in flight.
  EXPECT_EQ(counters().looking, 10u);
  EXPECT_LE(counters().asked, counters().looks + 1);
  EXPECT_EQ(counters().dropped, 0u);
  expect_adds_up();
}

TEST_F(ReplayLearnerTest, TheCallsMeanwhileAreDecidedLater) {
  auto options = test::options_with<test::Steady>();
  begin(std::move(options), 1, {"a"}, {.executables_max = 1});
  driver_.is.runs_for = [] { return std::uint64_t{8}; };
  for (int i = 0; i < 800; ++i) replay();
  const double calls = op_->account().calls;
  EXPECT_GT(calls, 90.0);
  EXPECT_LE(calls, 800.0);
}

TEST_F(ReplayLearnerTest, AReplayTimesNoMoreThanItsLimit) {
  begin(test::options_with<test::RoundRobin>(), 20, {"a", "b"}, {.looks_max = 4});
  std::uint64_t before = 0;
  for (int i = 0; i < 200; ++i) {
    replay();
    EXPECT_LE(counters().looks - before, 4u);
    before = counters().looks;
    EXPECT_LE(std::count(driver_.ran.begin(), driver_.ran.end(), 1u), 4);
  }
  EXPECT_EQ(driver_.made, 5u) << "each launch is covered once";
  for (std::size_t launch = 0; launch < 20; ++launch) EXPECT_GT(results(launch, 1), 0u) << launch;
  expect_adds_up();
}

// As the layers of a model.
TEST_F(ReplayLearnerTest, LaunchesWithTheSameKeyAreLookedAtInOneOfThem) {
  begin(test::options_with<test::RoundRobin>(), 0, {"a", "b"});
  for (int launch = 0; launch < 40; ++launch) {
    learner_->add(*op_, key(static_cast<std::size_t>(launch % 2)), true);
    base_.push_back(0);
  }
  for (int i = 0; i < 100; ++i) replay();
  EXPECT_EQ(driver_.made, 1u);
  for (std::size_t launch = 0; launch < 2; ++launch) {
    EXPECT_GT(results(launch, 0), 20u);
    EXPECT_GT(results(launch, 1), 20u);
  }
  expect_adds_up();
}

TEST_F(ReplayLearnerTest, OtherFormsShareExecutablesOfTheirOwn) {
  // The variants c and d need other nodes than a and b.
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v / 2}; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b", "c", "d"});
  for (int i = 0; i < 200; ++i) replay();
  EXPECT_GE(driver_.made, 2u) << "one for the program's form, one for the other form of both launches";
  EXPECT_LE(driver_.made, 4u);
  for (std::size_t launch = 0; launch < 2; ++launch)
    for (std::uint32_t v = 0; v < 4; ++v) EXPECT_GT(results(launch, v), 5u);
  expect_bound();
}

TEST_F(ReplayLearnerTest, ExecutablesAreBounded) {
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v}; };
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) names.push_back("v" + std::to_string(i));
  begin(test::options_with<test::RoundRobin>(), 6, names, {.executables_max = 5});
  for (int i = 0; i < 6000; ++i) {
    replay();
    ASSERT_LE(driver_.alive(), 5u);
  }
  EXPECT_EQ(counters().built - counters().removed, driver_.alive());
  EXPECT_LT(counters().built, 100u) << "making becomes rare";
  EXPECT_GT(counters().dropped, 0u);
  expect_adds_up();
  expect_bound();
}

// Asks for the second candidate only.
class Second final : public Policy {
 public:
  Choice choose(const KeyStatistics&, Random&) noexcept override { return {1, true}; }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }
};

TEST_F(ReplayLearnerTest, WhatTheProgramRunsIsTimedBeforeOtherForms) {
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v}; };
  begin(test::options_with<Second>(), 12, {"a", "b"}, {.looks_max = 4});
  while (counters().explored == 0) {
    ASSERT_LT(counters().replays + plain_, 100u);
    replay();
    if (driver_.ran != base_) break;  // the first replay of an executable for another form
  }
  EXPECT_EQ(driver_.made, 4u);
  for (int i = 0; i < 3; ++i) replay();
  for (std::size_t launch = 0; launch < 12; ++launch) EXPECT_GT(results(launch, 0), 0u) << launch;
}

TEST_F(ReplayLearnerTest, TheStandInHasAPlace) {
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v}; };
  begin(test::options_with<test::RoundRobin>(), 6, {"a", "b", "c"}, {.looks_max = 1, .executables_max = 4});
  for (int i = 0; i < 50; ++i) replay();
  ASSERT_EQ(driver_.alive(), 3u);
  const std::vector<std::uint32_t> wanted = {0, 1, 2, 0, 1, 2};
  EXPECT_TRUE(learner_->prepare_stand_in(wanted));
  EXPECT_EQ(driver_.alive(), 4u);
  for (int i = 0; i < 50; ++i) replay();
  EXPECT_LE(driver_.alive(), 4u);
}

TEST_F(ReplayLearnerTest, AFormThatLeadsIsRunByAStandIn) {
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v}; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b", "c"});
  std::vector<std::uint32_t> wanted = {0, 1};
  ASSERT_TRUE(learner_->prepare_stand_in(wanted));
  ASSERT_TRUE(learner_->launch_stand_in(nullptr));
  EXPECT_EQ(driver_.ran, wanted);
  EXPECT_TRUE(learner_->prepare_stand_in(wanted));
  EXPECT_EQ(driver_.made, 1u);
  wanted = {2, 1};  // another form again
  driver_.step();
  EXPECT_TRUE(learner_->prepare_stand_in(wanted));
  EXPECT_EQ(driver_.made, 2u);
  EXPECT_EQ(driver_.alive(), 1u);
  // Looks take place around what the stand-in runs.
  base_ = wanted;
  for (int i = 0; i < 100; ++i) replay();
  EXPECT_GT(results(0, 2), 0u);
  EXPECT_EQ(counters().stand_ins, 1u);
  expect_bound();
}

TEST_F(ReplayLearnerTest, WhatIsBegunIsUsedOnceItHasBeenMade) {
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v}; };
  driver_.is.times_first = true;
  driver_.is.builds_for = [] { return std::uint64_t{3}; };
  begin(test::options_with<test::RoundRobin>(), 6, {"a", "b", "c"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(replay(), base_);
  EXPECT_LE(counters().built, 4u) << "a few at a time";
  EXPECT_EQ(counters().looking, 0u);
  // The simulated GPU reports a change or a launch of an executable that has not been made.
  for (int i = 0; i < 400; ++i) replay();
  for (std::size_t launch = 0; launch < 6; ++launch)
    for (std::uint32_t v = 0; v < 3; ++v) EXPECT_GT(results(launch, v), 5u) << launch << " " << v;
  expect_adds_up();
  expect_bound();
}

TEST_F(ReplayLearnerTest, IsDestroyedWhileAnExecutableIsBeingMade) {
  driver_.is.builds_for = [] { return std::uint64_t{10}; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  replay();
  ASSERT_EQ(driver_.alive(), 1u);
  learner_->clear();
  EXPECT_EQ(driver_.alive(), 0u);
  expect_adds_up();
}

TEST_F(ReplayLearnerTest, NothingIsAskedBeforeTheCostOfTimingIsKnown) {
  driver_.is.timing = ReplayDriver::Timing::not_yet;
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 10; ++i) replay();
  EXPECT_EQ(counters().asked, 0u);
  driver_.is.timing = ReplayDriver::Timing::possible;
  for (int i = 0; i < 10; ++i) replay();
  EXPECT_GT(counters().asked, 0u);
}

TEST_F(ReplayLearnerTest, ModesThatDoNotLearnReplayThePrograms) {
  for (const Mode mode : {Mode::off, Mode::seed, Mode::frozen}) {
    auto options = test::options_with<test::RoundRobin>();
    options.mode = mode;
    begin(std::move(options), 2, {"a", "b"});
    for (int i = 0; i < 50; ++i) EXPECT_EQ(replay(), base_);
    EXPECT_EQ(counters().asked, 0u) << to_string(mode);
    EXPECT_EQ(driver_.made, 0u);
    learner_.reset();
  }
}

TEST_F(ReplayLearnerTest, ObserveTimesWithoutExploring) {
  auto options = test::options_with<test::RoundRobin>();
  options.mode = Mode::observe;
  begin(std::move(options), 2, {"a", "b"});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(replay(), base_);
  EXPECT_GT(counters().recorded, 20u);
  EXPECT_EQ(counters().explored, 0u);
}

TEST_F(ReplayLearnerTest, RankConsistencyTimesWithoutExploring) {
  auto options = test::options_with<test::RoundRobin>();
  options.rank_consistent = true;
  begin(std::move(options), 2, {"a", "b"});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(replay(), base_);
  EXPECT_EQ(counters().explored, 0u);
  EXPECT_GT(counters().recorded, 0u);
}

TEST_F(ReplayLearnerTest, AChangeOfModeDropsTheLooksThatWait) {
  driver_.is.form = [](std::size_t, std::uint32_t v) {
    return Form{v == 0 ? Form::Kind::known : Form::Kind::later, 0};
  };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 20; ++i) replay();
  ASSERT_GT(counters().waiting, 0u);
  selector_->set_mode(Mode::off);
  driver_.is.form = [](std::size_t, std::uint32_t) { return Form{Form::Kind::known, 0}; };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(replay(), base_);
  EXPECT_EQ(counters().waiting, 0u);
  expect_adds_up();
}

TEST_F(ReplayLearnerTest, AForcedVariantRunsInEveryReplay) {
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 10; ++i) replay();
  {
    const Forced forced = op_->force("b");
    update();
    ASSERT_EQ(base_, (std::vector<std::uint32_t>{1, 1}));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(replay(), base_);
  }
  update();
  const std::uint64_t before = counters().explored;
  for (int i = 0; i < 20; ++i) replay();
  EXPECT_GT(counters().explored, before);
  expect_adds_up();
}

TEST_F(ReplayLearnerTest, TheCostOfTimingIsThatOfAllLaunchesThatAreTimed) {
  auto options = test::options();  // the default policy, with its budget for timing
  begin(std::move(options), 8, {"a", "b"});
  driver_.is.cost = Latency(3000);
  driver_.is.ns = [](std::size_t launch, std::uint32_t v) {
    return 30'000.0 * (1.0 + 0.1 * v) + static_cast<double>(launch);
  };
  for (int i = 0; i < 400; ++i) {
    replay();
    selector_->learn();
  }
  const ReplayCounters after_first = counters();
  for (int i = 0; i < 4000; ++i) replay();
  // 0.05 % of 8 x 30 us, divided by what a replay with four timed launches costs.
  const double share = static_cast<double>(counters().looking - after_first.looking) / 4000.0;
  EXPECT_LE(share * 4 * 3'000.0, 0.002 * 8 * 30'000.0);
  EXPECT_DOUBLE_EQ(counters().timing_ns, 4.0 * 3'000.0 * static_cast<double>(counters().looking));
  EXPECT_GT(counters().besides, 0u) << "what was paid for is used";
  expect_adds_up();
}

TEST_F(ReplayLearnerTest, AProgramEndsWithItsBestVariants) {
  auto options = test::options();
  begin(std::move(options), 10, {"a", "b", "c", "d"});
  driver_.is.cost = Latency(2000);
  driver_.is.ns = [](std::size_t launch, std::uint32_t v) {
    return 50'000.0 * (1.0 + 0.05 * static_cast<double>((v + 4 - launch % 4) % 4)) +
           static_cast<double>(launch);
  };
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v == 3 ? 1u : 0u}; };
  driver_.is.runs_for = [] { return std::uint64_t{3}; };
  double lost = 0;
  double best = 0;
  for (int i = 0; i < 2000; ++i) {
    update();
    const std::vector<std::uint32_t> ran = replay();
    for (std::size_t launch = 0; launch < 10; ++launch) {
      lost += driver_.is.ns(launch, ran[launch]) - driver_.is.ns(launch, launch % 4);
      best += driver_.is.ns(launch, launch % 4);
    }
    selector_->learn();
  }
  for (std::size_t launch = 0; launch < 10; ++launch)
    EXPECT_EQ(op_->pin(key(launch)).variant(), launch % 4) << launch;
  EXPECT_LT(lost / best, 0.01);
  expect_adds_up();
  expect_bound();
}

TEST_F(ReplayLearnerTest, ADriftInsideTheGraphIsFollowed) {
  begin(test::options(), 4, {"a", "b"});
  bool drifted = false;
  driver_.is.ns = [&](std::size_t launch, std::uint32_t v) {
    const bool slow = drifted && launch == 2 && v == 0;
    return (v == 0 ? 40'000.0 : 44'000.0) * (slow ? 1.5 : 1.0) + static_cast<double>(launch);
  };
  const auto run = [&](int replays) {
    for (int i = 0; i < replays; ++i) {
      update();
      replay();
      selector_->learn();
    }
  };
  run(1000);
  ASSERT_EQ(op_->pin(key(2)).variant(), 0u);
  drifted = true;
  run(4000);
  EXPECT_EQ(op_->pin(key(2)).variant(), 1u);
  for (const std::size_t launch : {0u, 1u, 3u}) EXPECT_EQ(op_->pin(key(launch)).variant(), 0u);
}

TEST_F(ReplayLearnerTest, TwoGraphsOfOneOperationLearnTogether) {
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  SimulatedReplays other_driver;
  ReplayLearner other(other_driver, {});
  other.add(*op_, key(0), true);
  for (int i = 0; i < 50; ++i) {
    replay();
    other.replay(base_, nullptr);
    other_driver.step();
  }
  EXPECT_GT(counters().recorded, 10u);
  EXPECT_GT(other.counters().recorded, 10u);
  EXPECT_EQ(results(0, 0) + results(0, 1),
            counters().recorded + other.counters().recorded + counters().besides + other.counters().besides);
}

TEST_F(ReplayLearnerTest, IsDestroyedWhileLatenciesAreOut) {
  driver_.is.runs_for = [] { return std::uint64_t{5}; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 12; ++i) replay();
  ASSERT_GT(counters().pending, 0u);
  learner_->clear();
  expect_adds_up();
  EXPECT_EQ(counters().pending, 0u);
  EXPECT_EQ(driver_.alive(), 0u);
  for (std::size_t i = 0; i < 2; ++i) learner_->add(*op_, key(i), true);
  for (int i = 0; i < 30; ++i) replay();
  EXPECT_GT(counters().looks, 0u);
  learner_.reset();
  EXPECT_EQ(driver_.alive(), 0u);
}

TEST_F(ReplayLearnerTest, AResetDropsWhatIsInFlight) {
  driver_.is.runs_for = [] { return std::uint64_t{4}; };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"}, {.executables_max = 1});
  for (int i = 0; i < 6; ++i) replay();
  ASSERT_EQ(counters().pending, 1u);
  op_->reset();
  for (int i = 0; i < 4; ++i) replay();
  EXPECT_EQ(op_->counters().results_expired, 1u);
  EXPECT_EQ(results(0, 0) + results(0, 1), 0u);
}

TEST_F(ReplayLearnerTest, LaunchesThatCannotBeTimedRunAlong) {
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  learner_->add(*op_, key(7), false);
  base_ = {0, 1};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(replay()[1], 1u);
  EXPECT_FALSE(op_->explain(key(7)).candidates.at(1).count > 0);
  EXPECT_GT(results(0, 1), 0u);
}

TEST_F(ReplayLearnerTest, WithoutExecutablesNothingHappens) {
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"}, {.executables_max = 0});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(replay(), base_);
  EXPECT_EQ(counters().asked, 0u);
  EXPECT_FALSE(learner_->prepare_stand_in(base_));
}

}  // namespace
}  // namespace adaptive::cuda

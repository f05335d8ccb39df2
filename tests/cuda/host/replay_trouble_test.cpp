// Tests learning under replay where something is refused, fails, comes late or never.
#include "cuda/graph/replay/learner.hpp"

#include <gtest/gtest.h>

#include "tests/cuda/host/replay_fixture.hpp"

namespace adaptive::inline v1::cuda {
namespace {

using Form = ReplayDriver::Form;
using ReplayTroubleTest = test::ReplayTest;

TEST_F(ReplayTroubleTest, AVariantThatCannotBeCapturedIsSetAside) {
  driver_.is.form = [](std::size_t, std::uint32_t v) {
    return Form{v == 1 ? Form::Kind::failed : Form::Kind::known, 0};
  };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(replay()[0], 0u);
  EXPECT_EQ(op_->counters().failures, 1u);
  EXPECT_EQ(counters().dropped, 1u);
  EXPECT_GT(counters().recorded, 10u);
}

TEST_F(ReplayTroubleTest, AVariantThatFitsNoExecutableIsDroppedAndTheOthersLearn) {
  driver_.is.form = [](std::size_t, std::uint32_t v) {
    return Form{v == 1 ? Form::Kind::unfit : Form::Kind::known, 0};
  };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b", "c"});
  for (int i = 0; i < 200; ++i) EXPECT_NE(replay()[0], 1u);
  EXPECT_EQ(op_->counters().failures, 0u);
  EXPECT_GT(counters().dropped, 10u);
  EXPECT_GT(results(0, 0), 10u);
  EXPECT_GT(results(0, 2), 10u);
  expect_adds_up();
}

TEST_F(ReplayTroubleTest, ALookWaitsWhileItsFormCannotBeFoundOut) {
  auto kind = Form::Kind::later;
  driver_.is.form = [&](std::size_t, std::uint32_t v) { return Form{v == 0 ? Form::Kind::known : kind, 0}; };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  for (int i = 0; i < 30; ++i) replay();
  EXPECT_EQ(results(0, 1), 0u);
  kind = Form::Kind::known;
  for (int i = 0; i < 30; ++i) replay();
  EXPECT_GT(results(0, 1), 5u);
  EXPECT_EQ(counters().dropped, 0u);
}

TEST_F(ReplayTroubleTest, ARefusedVariantGetsAnExecutableOfItsOwn) {
  driver_.is.setting = [](const ReplayDriver::Change& change) {
    return change.to == 1 ? ReplayDriver::Setting::refused : ReplayDriver::Setting::done;
  };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  for (int i = 0; i < 100; ++i) replay();
  EXPECT_EQ(counters().refused, 1u);
  EXPECT_EQ(driver_.made, 2u);
  EXPECT_GT(results(0, 1), 10u);
  expect_bound();
}

TEST_F(ReplayTroubleTest, AMixtureIsNeverLaunched) {
  int changes = 0;
  driver_.is.setting = [&](const ReplayDriver::Change&) {
    return ++changes % 5 == 0 ? ReplayDriver::Setting::broken : ReplayDriver::Setting::done;
  };
  begin(test::options_with<test::RoundRobin>(), 3, {"a", "b", "c"});
  for (int i = 0; i < 300; ++i) replay();  // the simulated GPU reports the launch of a mixture
  EXPECT_GT(counters().removed, 5u);
  EXPECT_GT(plain_, 0u) << "these replays were the program's own";
  EXPECT_GT(counters().recorded, 0u);
  expect_adds_up();
  expect_bound();
}

TEST_F(ReplayTroubleTest, ALaunchThatFailsLeavesTheReplayToTheProgram) {
  int launches = 0;
  driver_.is.launching = [&] { return ++launches % 4 != 0; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 200; ++i) replay();
  EXPECT_EQ(plain_ + counters().replays, 200u);
  EXPECT_GT(counters().removed, 5u);
  expect_adds_up();
  expect_bound();
}

TEST_F(ReplayTroubleTest, NoMemoryMeansNoFurtherExecutables) {
  driver_.is.making = [] { return ReplayDriver::Making::no_memory; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(replay(), base_);
  EXPECT_EQ(driver_.made, 0u);
  EXPECT_EQ(plain_, 2000u);
  EXPECT_LE(counters().asked, 8u) << "what cannot be measured is not asked for";
  expect_adds_up();
}

TEST_F(ReplayTroubleTest, AGraphThatCannotBeCopiedIsLeftAlone) {
  int tried = 0;
  driver_.is.making = [&] {
    ++tried;
    return ReplayDriver::Making::impossible;
  };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 100; ++i) replay();
  EXPECT_EQ(tried, 1);
  EXPECT_TRUE(learner_->impossible());
  EXPECT_EQ(plain_, 100u);
}

TEST_F(ReplayTroubleTest, ARefusedFormIsNotTriedAgain) {
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v}; };
  bool refuses = false;
  driver_.is.making = [&] { return refuses ? ReplayDriver::Making::refused : ReplayDriver::Making::made; };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  replay();
  refuses = true;
  for (int i = 0; i < 500; ++i) EXPECT_EQ(replay()[0], 0u);
  EXPECT_EQ(counters().refused, 1u);
  EXPECT_GT(results(0, 0), 50u);
  expect_adds_up();
}

TEST_F(ReplayTroubleTest, ARefusalOfAnExecutableThatWasBegunIsNoted) {
  driver_.is.form = [](std::size_t, std::uint32_t v) { return Form{Form::Kind::known, v}; };
  driver_.is.builds_for = [] { return std::uint64_t{2}; };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  for (int i = 0; i < 4; ++i) replay();
  ASSERT_EQ(driver_.made, 1u);
  driver_.is.outcome = [] { return ReplayDriver::Making::refused; };
  for (int i = 0; i < 500; ++i) EXPECT_EQ(replay()[0], 0u);
  EXPECT_EQ(counters().refused, 1u) << "the form is not tried again";
  EXPECT_EQ(driver_.alive(), 1u);
  EXPECT_GT(results(0, 0), 50u);
  expect_adds_up();
}

TEST_F(ReplayTroubleTest, WithoutMemoryWhatWasBegunIsGivenUpForLong) {
  driver_.is.builds_for = [] { return std::uint64_t{1}; };
  driver_.is.outcome = [] { return ReplayDriver::Making::no_memory; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 500; ++i) EXPECT_EQ(replay(), base_);
  EXPECT_EQ(driver_.made, 1u);
  EXPECT_EQ(driver_.alive(), 0u);
  expect_adds_up();
}

TEST_F(ReplayTroubleTest, LateLatenciesAreTakenAndTheirExecutableIsUsedMeanwhile) {
  driver_.is.times_first = true;
  driver_.is.late_by = [] { return std::uint64_t{20}; };
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 40; ++i) replay();
  EXPECT_GT(counters().looking, 30u);
  EXPECT_GT(counters().recorded, 30u);
  for (int i = 0; i < 30; ++i) {
    driver_.step();
    learner_->collect();
  }
  EXPECT_EQ(counters().pending, 0u);
  EXPECT_EQ(counters().lost, 0u);
  expect_bound();
}

TEST_F(ReplayTroubleTest, LatenciesThatNeverComeAreGivenUp) {
  driver_.is.times_first = true;
  driver_.never_is_pending = true;
  driver_.is.comes = [] { return false; };
  begin(test::options_with<test::RoundRobin>(), 1, {"a", "b"});
  for (int i = 0; i < 300; ++i) replay();
  EXPECT_EQ(counters().recorded, 0u);
  EXPECT_GE(counters().lost, 200u) << "no more than some replays are waited for";
  EXPECT_LE(counters().pending, ReplayLearner::flights_max + 1);
  expect_adds_up();
}

TEST_F(ReplayTroubleTest, AnotherSourceOfLatenciesMakesAllExecutablesAnew) {
  driver_.is.times_first = true;
  begin(test::options_with<test::RoundRobin>(), 2, {"a", "b"});
  for (int i = 0; i < 10; ++i) replay();
  ASSERT_EQ(driver_.made, 1u);
  driver_.is.source = 1;
  driver_.is.times_first = false;
  for (int i = 0; i < 10; ++i) replay();
  EXPECT_EQ(driver_.made, 2u);
  EXPECT_EQ(driver_.alive(), 1u);
  EXPECT_GT(counters().recorded, 10u);
}

}  // namespace
}  // namespace adaptive::cuda

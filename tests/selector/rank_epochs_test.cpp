// Tests that ranks take up the tables that rank 0 announces at the same step, whatever their speed and
// whenever they were started.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <adaptive/rank_epochs.hpp>
#include "tests/selector/rank_of_a_job.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

using test::RankOfAJob;

/// A store in memory that may fail to write, and lose everything.
class SharedMemory final : public Store {
 public:
  const Records& read(const std::string&) override { return records; }
  void write(const std::string&, const std::string&, const Records& added) override {
    if (!writable) throw Error(ErrorCode::unavailable, "gone", name());
    for (const auto& [record, text] : added) records.insert_or_assign(record, text);
    if (!answers) throw Error(ErrorCode::unavailable, "no answer", name());
  }
  std::string name() const override { return "memory"; }

  bool writable = true;
  bool answers = true;  // to writes, which arrive in any case
  Records records;
};

class RankEpochsTest : public testing::Test {
 protected:
  std::filesystem::path table(std::uint32_t variant) const {
    return test::table_of_a_job(folder_ / "", variant);
  }
  RankOfAJob rank(int number) const { return {store_, number}; }

  test::ScratchFolder folder_;
  std::shared_ptr<SharedMemory> store_ = std::make_shared<SharedMemory>();
};

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::failed;
}

TEST_F(RankEpochsTest, ATableTakesEffectAtTheSameStepOnAllRanks) {
  RankOfAJob zero = rank(0);
  RankOfAJob one = rank(1);
  for (std::uint64_t step = 0; step < 60; ++step) {
    const bool risen = zero.epochs->step(step);
    EXPECT_EQ(one.epochs->step(step), risen) << step;
    EXPECT_EQ(zero.choice(), one.choice()) << step;
    EXPECT_EQ(zero.selector->epoch(), one.selector->epoch()) << step;
    EXPECT_EQ(zero.choice(), step < 20 ? 0U : step < 50 ? 2U : 1U) << step;
    if (step == 3) zero.epochs->announce(table(2));
    if (step == 30) zero.epochs->announce(table(1));
  }
  EXPECT_EQ(zero.selector->epoch(), 2U);
}

TEST_F(RankEpochsTest, ATableThatIsAnnouncedBeforeTheFirstStepHoldsFromThatStep) {
  RankOfAJob zero = rank(0);
  RankOfAJob one = rank(1);
  zero.epochs->announce(table(1));
  EXPECT_TRUE(zero.epochs->step(7));
  EXPECT_TRUE(one.epochs->step(7));
  EXPECT_EQ(zero.choice(), 1U);
  EXPECT_EQ(one.choice(), 1U);
}

TEST_F(RankEpochsTest, ARankWaitsForADecisionAndGoesOnWithIt) {
  RankOfAJob zero = rank(0);
  RankOfAJob one = rank(1);
  EXPECT_EQ(code_of([&] { one.epochs->step(0); }), ErrorCode::unavailable) << "rank 0 has not begun";
  zero.epochs->step(0);
  zero.epochs->announce(table(2));
  EXPECT_FALSE(one.epochs->step(0));
  EXPECT_FALSE(one.epochs->step(10)) << "decided when rank 0 began";
  EXPECT_EQ(code_of([&] { one.epochs->step(20); }), ErrorCode::unavailable);
  EXPECT_EQ(code_of([&] { one.epochs->step(20); }), ErrorCode::unavailable) << "never without a decision";
  EXPECT_EQ(one.choice(), 0U);
  zero.epochs->step(10);
  EXPECT_TRUE(one.epochs->step(20));
  EXPECT_EQ(one.choice(), 2U);
}

TEST_F(RankEpochsTest, ARankThatIsFarBehindHasTheEpochsOfItsStep) {
  RankOfAJob zero = rank(0);
  for (std::uint64_t step = 0; step < 100; ++step) {
    zero.epochs->step(step);
    if (step % 30 == 5) zero.epochs->announce(table(1 + static_cast<std::uint32_t>(step / 30) % 2));
  }
  EXPECT_EQ(zero.selector->epoch(), 3U);
  RankOfAJob late = rank(1);
  for (std::uint64_t step = 0; step < 100; ++step) {
    late.epochs->step(step);
    EXPECT_EQ(late.selector->epoch(), (step + 10) / 30) << step;
  }
  EXPECT_EQ(late.choice(), zero.choice());
}

TEST_F(RankEpochsTest, ARankThatIsStartedAgainHasTheSameEpochsAtEveryStep) {
  RankOfAJob zero = rank(0);
  for (std::uint64_t step = 0; step < 80; ++step) {
    zero.epochs->step(step);
    if (step == 5) zero.epochs->announce(table(1));
    if (step == 45) zero.epochs->announce(table(2));
  }
  for (const std::uint64_t step : {0U, 19U, 20U, 59U, 60U, 80U}) {
    RankOfAJob again = rank(3);
    again.epochs->step(step);
    EXPECT_EQ(again.choice(), step < 20 ? 0U : step < 60 ? 1U : 2U) << step;
  }
}

TEST_F(RankEpochsTest, RankZeroContinuesFromItsOwnDecisions) {
  RankOfAJob one = rank(1);
  {
    RankOfAJob zero = rank(0);
    for (std::uint64_t step = 0; step <= 40; ++step) {
      zero.epochs->step(step);
      if (step == 5) zero.epochs->announce(table(1));
    }
    zero.epochs->announce(table(0));  // lost with the process: nothing has been decided about it
  }
  for (std::uint64_t step = 0; step <= 50; ++step) one.epochs->step(step);
  RankOfAJob again = rank(0);
  again.epochs->announce(table(2));
  EXPECT_TRUE(again.epochs->step(33)) << "from a checkpoint: the epoch of step 20";
  EXPECT_EQ(again.choice(), 1U);
  for (std::uint64_t step = 34; step < 60; ++step) EXPECT_FALSE(again.epochs->step(step)) << step;
  EXPECT_TRUE(again.epochs->step(60)) << "the first boundary that nobody can have passed";
  EXPECT_TRUE(one.epochs->step(60));
  EXPECT_EQ(again.choice(), 2U);
  EXPECT_EQ(one.choice(), 2U);
}

TEST_F(RankEpochsTest, RankZeroWritesAgainWhatTheStoreHasLost) {
  RankOfAJob zero = rank(0);
  zero.epochs->announce(table(1));
  zero.epochs->step(0);
  store_->records.clear();
  zero.epochs->step(10);
  RankOfAJob one = rank(1);
  EXPECT_TRUE(one.epochs->step(10));
  EXPECT_EQ(one.choice(), 1U);
}

TEST_F(RankEpochsTest, AStepWithoutItsStoreCanBeTriedAgain) {
  RankOfAJob zero = rank(0);
  zero.epochs->announce(table(1));
  store_->writable = false;
  EXPECT_EQ(code_of([&] { zero.epochs->step(0); }), ErrorCode::unavailable);
  EXPECT_EQ(zero.choice(), 0U) << "nobody else could know of the table";
  store_->writable = true;
  EXPECT_TRUE(zero.epochs->step(0));
  EXPECT_EQ(zero.choice(), 1U);
}

TEST_F(RankEpochsTest, AWriteThatArrivedWithoutAnAnswerIsFinal) {
  RankOfAJob zero = rank(0);
  RankOfAJob one = rank(1);
  store_->answers = false;
  EXPECT_EQ(code_of([&] { zero.epochs->step(0); }), ErrorCode::unavailable);
  store_->answers = true;
  one.epochs->step(0);
  one.epochs->step(10);
  zero.epochs->announce(table(1));
  zero.epochs->step(0);
  EXPECT_FALSE(zero.epochs->step(10)) << "rank 1 has passed this boundary";
  store_->answers = false;
  EXPECT_EQ(code_of([&] { zero.epochs->step(20); }), ErrorCode::unavailable);
  zero.epochs->announce(table(2));
  store_->answers = true;
  EXPECT_TRUE(one.epochs->step(20));
  EXPECT_TRUE(zero.epochs->step(20));
  EXPECT_EQ(one.choice(), 1U);
  EXPECT_EQ(zero.choice(), 1U);
  EXPECT_FALSE(one.epochs->step(30));
  EXPECT_FALSE(zero.epochs->step(30));
  EXPECT_TRUE(zero.epochs->step(40));
  EXPECT_TRUE(one.epochs->step(40));
  EXPECT_EQ(zero.choice(), 2U);
  EXPECT_EQ(zero.selector->epoch(), 2U);
}

TEST_F(RankEpochsTest, StepsMayBeLeftOutButNotGoBack) {
  RankOfAJob zero = rank(0);
  RankOfAJob one = rank(1);
  zero.epochs->step(3);
  zero.epochs->announce(table(1));
  EXPECT_TRUE(zero.epochs->step(78));
  EXPECT_TRUE(one.epochs->step(78));
  EXPECT_FALSE(zero.epochs->step(71));
  EXPECT_EQ(code_of([&] { zero.epochs->step(69); }), ErrorCode::invalid_argument);
  EXPECT_EQ(zero.choice(), 1U);
}

TEST_F(RankEpochsTest, RefusesWhatCannotWork) {
  RankOfAJob zero = rank(0);
  RankOfAJob one = rank(1);
  EXPECT_EQ(code_of([&] { one.epochs->announce(table(1)); }), ErrorCode::not_allowed_now);
  {
    Selector tuner(test::options());
    test::learn(tuner.define(test::operation({"a", "b", "c"}, "other")), {64}, {1, 2, 3});
    tuner.save(folder_ / "other.json");
  }
  EXPECT_EQ(code_of([&] { zero.epochs->announce(folder_ / "other.json"); }), ErrorCode::mismatch);
  const auto with = [&](RankEpochsOptions options) {
    return code_of([&] { RankEpochs(*zero.selector, std::move(options)); });
  };
  EXPECT_EQ(with({.store = nullptr, .job = "job"}), ErrorCode::invalid_argument);
  EXPECT_EQ(with({.store = store_}), ErrorCode::invalid_argument);
  EXPECT_EQ(with({.store = store_, .job = "job", .interval = 0}), ErrorCode::invalid_argument);
  EXPECT_EQ(with({.store = store_, .job = "job", .patience = std::chrono::milliseconds(-1)}),
            ErrorCode::invalid_argument);
  Selector alone(test::options());
  EXPECT_EQ(code_of([&] { RankEpochs(alone, {.store = store_, .job = "job"}); }), ErrorCode::not_allowed_now);

  const std::filesystem::path one_table = table(1);
  for (std::uint64_t i = 0; i < RankEpochs::epochs_max; ++i) zero.epochs->announce(one_table);
  EXPECT_EQ(code_of([&] { zero.epochs->announce(one_table); }), ErrorCode::too_large);

  store_->records["decisions"] = "[]";
  EXPECT_EQ(code_of([&] { one.epochs->step(0); }), ErrorCode::corrupt);
}

}  // namespace
}  // namespace adaptive

// Tests that latencies of busy and idle queues are never mixed in one operation.
#include "cuda/queue_states.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace adaptive::inline v1::cuda {
namespace {

using Verdict = QueueStates::Verdict;

constexpr bool idle = true;
constexpr bool queued = false;

// The statistics of an operation, reduced to the kinds of sample in them.
class Learner {
 public:
  Verdict give(bool is_idle) {
    const Verdict verdict = states_.judge(this, is_idle);
    if (verdict == Verdict::leave_out) return verdict;
    if (verdict == Verdict::restart) {
      ++restarts;
      idle_samples = queued_samples = 0;
    }
    ++(is_idle ? idle_samples : queued_samples);
    EXPECT_TRUE(idle_samples == 0 || queued_samples == 0) << "mixed";
    return verdict;
  }

  int idle_samples = 0;
  int queued_samples = 0;
  int restarts = 0;

 private:
  QueueStates states_;
};

TEST(QueueStates, LearnsFromQueuedSamplesAtOnce) {
  Learner learner;
  EXPECT_EQ(learner.give(queued), Verdict::learn);
}

TEST(QueueStates, LeavesOutTheFirstLaunchesOfAProgramThatQueues) {
  Learner learner;
  for (std::uint32_t i = 0; i + 1 < QueueStates::idle_run; ++i)
    EXPECT_EQ(learner.give(idle), Verdict::leave_out);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(learner.give(queued), Verdict::learn);
  EXPECT_EQ(learner.restarts, 0);
}

TEST(QueueStates, LetsAProgramThatAlwaysWaitsLearn) {
  Learner learner;
  for (int i = 0; i < 1000; ++i) learner.give(idle);
  EXPECT_EQ(learner.idle_samples, 1001 - static_cast<int>(QueueStates::idle_run));
  EXPECT_EQ(learner.restarts, 0);
}

TEST(QueueStates, IgnoresStrayQueuedSamplesOfAProgramThatAlwaysWaits) {
  Learner learner;
  for (int i = 0; i < 100; ++i) learner.give(idle);
  for (int i = 0; i < 10'000; ++i) learner.give(i % 10 == 0 ? queued : idle);
  EXPECT_EQ(learner.restarts, 0);
  EXPECT_EQ(learner.queued_samples, 0);
}

TEST(QueueStates, NeverMixesForAProgramThatIsMostlyQueued) {
  std::mt19937 random(1);
  Learner learner;
  for (int i = 0; i < 100'000; ++i) learner.give(random() % 4 == 0 ? idle : queued);
  EXPECT_EQ(learner.restarts, 0);
  EXPECT_EQ(learner.idle_samples, 0);
  EXPECT_GT(learner.queued_samples, 70'000);
}

TEST(QueueStates, FollowsAProgramThatBeginsToQueueAndForgetsWhatItLearnedBefore) {
  Learner learner;
  for (int i = 0; i < 100; ++i) learner.give(idle);
  int until = 0;
  while (learner.restarts == 0 && until < 1000) {
    learner.give(queued);
    ++until;
  }
  EXPECT_EQ(until, static_cast<int>((QueueStates::switch_run + 2) / QueueStates::queued_weight));
  EXPECT_EQ(learner.give(queued), Verdict::learn);
  EXPECT_EQ(learner.give(idle), Verdict::leave_out);
}

TEST(QueueStates, FollowsAProgramThatBeginsToWait) {
  Learner learner;
  for (int i = 0; i < 100; ++i) learner.give(queued);
  for (std::uint32_t i = 0; i < QueueStates::switch_run; ++i) learner.give(idle);
  EXPECT_EQ(learner.restarts, 1);
  EXPECT_EQ(learner.idle_samples, 1);
}

TEST(QueueStates, SettlesUnderAProgramThatHovers) {
  std::mt19937 random(2);
  Learner learner;
  bool kind = idle;
  for (int i = 0; i < 300'000; ++i) {
    if (random() % 200 == 0) kind = !kind;  // phases of 200 samples on average
    learner.give(kind);
  }
  EXPECT_LE(learner.restarts, 8);
}

TEST(QueueStates, KeepsOperationsApartAndIsBounded) {
  QueueStates states;
  std::vector<int> operations(QueueStates::capacity + 1);
  for (const int& operation : operations) EXPECT_EQ(states.judge(&operation, queued), Verdict::learn);
  // The operation beyond the capacity has no state: it learns from queued samples and never from idle ones.
  for (std::uint32_t i = 0; i < 10 * QueueStates::switch_run; ++i)
    EXPECT_EQ(states.judge(&operations.back(), idle), Verdict::leave_out);
  EXPECT_EQ(states.judge(&operations.back(), queued), Verdict::learn);
  for (std::uint32_t i = 0; i + 1 < QueueStates::switch_run; ++i) states.judge(&operations.front(), idle);
  EXPECT_EQ(states.judge(&operations.front(), idle), Verdict::restart);
}

}  // namespace
}  // namespace adaptive::cuda

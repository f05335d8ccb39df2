// Tests that latencies of busy and idle queues are never mixed in one key.
#include "cuda/queue_states.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace adaptive::inline v1::cuda {
namespace {

using Verdict = QueueStates::Verdict;

constexpr bool idle = true;
constexpr bool queued = false;

// The statistics of a key, reduced to the kinds of sample in them.
class Learner {
 public:
  Verdict give(bool is_idle) {
    const Verdict verdict = states_.judge(&states_, this, is_idle);
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

// A server launches the kernels of a prompt ahead of the GPU, and waits for those of a few tokens.
TEST(QueueStates, LetsEachKeyLearnFromItsOwnKind) {
  QueueStates states;
  const int operation = 0;
  const int prompt = 0;
  const int decode = 0;
  int learned_prompt = 0;
  int learned_decode = 0;
  for (int i = 0; i < 200; ++i) {
    learned_prompt += states.judge(&operation, &prompt, queued) == Verdict::learn ? 1 : 0;
    learned_decode += states.judge(&operation, &decode, idle) == Verdict::learn ? 1 : 0;
  }
  EXPECT_EQ(learned_prompt, 200);
  EXPECT_EQ(learned_decode, 200 - static_cast<int>(QueueStates::idle_run) + 1);
}

TEST(QueueStates, ANewKeyOfAProgramThatAlwaysWaitsLearnsAtOnce) {
  QueueStates states;
  const int operation = 0;
  const int first = 0;
  const int second = 0;
  for (std::uint32_t i = 0; i < QueueStates::idle_run; ++i) states.judge(&operation, &first, idle);
  EXPECT_EQ(states.judge(&operation, &second, idle), Verdict::learn);
}

TEST(QueueStates, AKeyWithoutAStateDoesAsItsOperation) {
  QueueStates states;
  const int operation = 0;
  EXPECT_EQ(states.judge(&operation, nullptr, idle), Verdict::leave_out);
  EXPECT_EQ(states.judge(&operation, nullptr, queued), Verdict::learn);
  EXPECT_EQ(states.judge(&operation, nullptr, idle), Verdict::leave_out);
}

TEST(QueueStates, KeepsKeysApartAndIsBounded) {
  QueueStates states;
  const int operation = 0;
  std::vector<int> keys(QueueStates::capacity);
  for (const int& key : keys) EXPECT_EQ(states.judge(&operation, &key, queued), Verdict::learn);
  // The last key is beyond the capacity and does as its operation, which is queued.
  for (std::uint32_t i = 0; i + 1 < QueueStates::switch_run; ++i)
    EXPECT_EQ(states.judge(&operation, &keys.back(), idle), Verdict::leave_out);
  EXPECT_EQ(states.judge(&operation, &keys.back(), queued), Verdict::learn);
  for (std::uint32_t i = 0; i + 1 < QueueStates::switch_run; ++i)
    states.judge(&operation, &keys.front(), idle);
  EXPECT_EQ(states.judge(&operation, &keys.front(), idle), Verdict::restart);
  // An operation beyond the capacity learns from queued samples and never from idle ones.
  const int other = 0;
  for (std::uint32_t i = 0; i < 10 * QueueStates::switch_run; ++i)
    EXPECT_EQ(states.judge(&other, nullptr, idle), Verdict::leave_out);
  EXPECT_EQ(states.judge(&other, nullptr, queued), Verdict::learn);
}

}  // namespace
}  // namespace adaptive::cuda

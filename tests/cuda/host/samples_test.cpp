// Tests that no sample is lost when an operation begins to learn from the other kind of sample.
#include "cuda/samples.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda {
namespace {

using Verdict = QueueStates::Verdict;

constexpr bool on_idle = true;
constexpr bool on_queue = false;

class Samples : public testing::Test {
 protected:
  Verdict give(const Decision& decision, bool is_idle, double ns) {
    const Verdict verdict = give_sample(states_, op_, decision, is_idle, Latency(ns));
    if (verdict != Verdict::leave_out) ++given_;
    return verdict;
  }
  Explanation::Candidate first() const { return op_.explain({8}).candidates.at(0); }

  Selector selector_{test::options_with<test::Steady>()};
  Operation& op_ = selector_.define(test::operation({"a"}));
  QueueStates states_;
  std::uint64_t given_ = 0;
};

TEST_F(Samples, TheOneThatBringsAChangeAndThoseInFlightAreLearned) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(give(op_.select({8}), on_queue, 100.0), Verdict::learn);
  // The program now waits for every launch except the latest eight.
  std::vector<Decision> in_flight;
  for (int i = 0; i < 8; ++i) in_flight.push_back(op_.select({8}));
  while (give(op_.select({8}), on_idle, 105.0) != Verdict::restart) {
  }
  EXPECT_EQ(first().count, 1u) << "the sample that brought the change, and none of the other kind";
  EXPECT_DOUBLE_EQ(first().mean_ns, 105.0);
  for (const Decision& decision : in_flight) EXPECT_EQ(give(decision, on_idle, 106.0), Verdict::learn);
  EXPECT_EQ(first().count, 9u);
  EXPECT_EQ(op_.counters().results, given_) << "all that was given was taken";
  EXPECT_EQ(op_.counters().results_duplicate, 0u);
}

TEST_F(Samples, LaunchesInFlightStayPendingOverAChange) {
  for (int i = 0; i < 10; ++i) give(op_.select({8}), on_queue, 100.0);
  const std::uint32_t before = first().pending;
  const Decision in_flight = op_.select({8});
  op_.relearn();
  EXPECT_EQ(first().pending, before + 1);
  EXPECT_EQ(op_.explain({8}).calls, 0.0);
  give(in_flight, on_queue, 100.0);
  EXPECT_EQ(first().pending, before);
  EXPECT_EQ(first().count, 1u);
}

}  // namespace
}  // namespace adaptive::cuda

// Tests that a launch is the sum of its kernels, in whatever order their records come.
#include "cuda/cupti/launches.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>

namespace adaptive::inline v1::cuda {
namespace {

class CuptiLaunchesTest : public testing::Test, public CuptiClient {
 protected:
  void receive(const CuptiLaunch&, Latency latency) noexcept override {
    latencies_.push_back(latency.count());
  }
  void lost(const CuptiLaunch&) noexcept override { ++lost_; }

  CuptiLaunch& begin() { return *launches_.begin(*this, operation_, {}); }
  void record(std::uint32_t id, std::uint64_t ns) {
    const std::lock_guard lock(launches_.delivery);
    launches_.record(id, ns);
  }

  Selector selector_{SelectorOptions{.use_environment = false}};
  Operation& operation_ =
      selector_.define({.name = "op", .dimensions = {{"m"}}, .variants = {{.name = "a"}}});
  CuptiLaunches launches_;
  std::vector<double> latencies_;
  int lost_ = 0;
};

TEST_F(CuptiLaunchesTest, SumsTheKernelsOfALaunch) {
  CuptiLaunch& launch = begin();
  launches_.launched(11);
  launches_.launched(12);
  launches_.end(launch);
  record(12, 300);
  EXPECT_TRUE(latencies_.empty());
  record(11, 50);
  EXPECT_EQ(latencies_, (std::vector<double>{350}));
  EXPECT_EQ(launches_.active(), 0u);
}

TEST_F(CuptiLaunchesTest, KnowsItsOwnLaunches) {
  CuptiLaunch& launch = begin();
  const CuptiLaunch other;
  EXPECT_TRUE(launches_.owns(&launch));
  EXPECT_FALSE(launches_.owns(&other));
  launches_.end(launch);
}

TEST_F(CuptiLaunchesTest, RecordsMayComeBeforeTheEnd) {
  CuptiLaunch& launch = begin();
  launches_.launched(11);
  record(11, 50);
  launches_.launched(12);
  record(12, 60);
  EXPECT_TRUE(latencies_.empty()) << "there may be more kernels";
  launches_.end(launch);
  EXPECT_EQ(latencies_, (std::vector<double>{110}));
}

TEST_F(CuptiLaunchesTest, KernelsOfOthersDoNotCount) {
  launches_.launched(10);
  CuptiLaunch& launch = begin();
  launches_.launched(11);
  std::thread([&] { launches_.launched(12); }).join();
  launches_.end(launch);
  launches_.launched(13);
  for (const std::uint32_t id : {10u, 12u, 13u, 11u + static_cast<std::uint32_t>(CuptiLaunches::ids)})
    record(id, 1000);
  EXPECT_TRUE(latencies_.empty());
  record(11, 50);
  EXPECT_EQ(latencies_, (std::vector<double>{50}));
}

TEST_F(CuptiLaunchesTest, TheInnermostLaunchOfAThreadHasTheKernel) {
  CuptiLaunch& outer = begin();
  launches_.launched(1);
  CuptiLaunch& inner = begin();
  launches_.launched(2);
  launches_.end(inner);
  launches_.launched(3);
  launches_.end(outer);
  record(2, 20);
  record(1, 1);
  record(3, 3);
  EXPECT_EQ(latencies_, (std::vector<double>{20, 4}));
}

TEST_F(CuptiLaunchesTest, AKernelThatWasRefusedIsNotWaitedFor) {
  CuptiLaunch& launch = begin();
  launches_.launched(1);
  launches_.launched(2);
  launches_.not_launched(2);
  launches_.end(launch);
  record(1, 10);
  EXPECT_EQ(latencies_, (std::vector<double>{10}));
}

TEST_F(CuptiLaunchesTest, WithoutAKernelThereIsNoLatency) {
  launches_.end(begin());
  EXPECT_EQ(lost_, 1);
  CuptiLaunch& launch = begin();
  launches_.launched_untimable();
  launches_.end(launch);
  EXPECT_EQ(lost_, 2);
  EXPECT_TRUE(latencies_.empty());
}

TEST_F(CuptiLaunchesTest, LateRecordsOfAnAbandonedLaunchFindNobody) {
  CuptiLaunch& failed = begin();
  launches_.launched(1);
  launches_.abandon(failed);
  CuptiLaunch& next = begin();
  ASSERT_EQ(&next, &failed) << "the place is used again";
  launches_.launched(2);
  launches_.end(next);
  record(1, 1000);
  EXPECT_TRUE(latencies_.empty());
  record(2, 5);
  EXPECT_EQ(latencies_, (std::vector<double>{5}));
  EXPECT_EQ(lost_, 0);
}

TEST_F(CuptiLaunchesTest, WhatNeverArrivesIsGivenUpInTime) {
  CuptiLaunch& launch = begin();
  launches_.launched(1);
  launches_.end(launch);
  CuptiLaunch& open = begin();
  EXPECT_EQ(launches_.expire(1'000'000'000'000), 0u);
  EXPECT_EQ(launches_.expire(-1), 1u) << "not the one that has not ended";
  EXPECT_EQ(lost_, 1);
  record(1, 10);
  EXPECT_TRUE(latencies_.empty());
  launches_.abandon(open);
  EXPECT_EQ(launches_.active(), 0u);
}

TEST_F(CuptiLaunchesTest, AreTakenUpToTheCapacityAndNoneIsLost) {
  std::vector<CuptiLaunch*> all;
  for (std::uint32_t i = 0; i < CuptiLaunches::capacity; ++i) {
    CuptiLaunch& launch = begin();
    launches_.launched(i + 1);
    launches_.end(launch);
  }
  EXPECT_EQ(launches_.begin(*this, operation_, {}), nullptr);
  for (std::uint32_t i = 0; i < CuptiLaunches::capacity; i += 2) record(i + 1, 1);
  EXPECT_EQ(latencies_.size(), CuptiLaunches::capacity / 2);
  launches_.abandon_all(*this);
  EXPECT_EQ(static_cast<std::uint32_t>(lost_), CuptiLaunches::capacity / 2);
  EXPECT_EQ(launches_.active(), 0u);
}

TEST_F(CuptiLaunchesTest, AnOpenLaunchOutlivesADrainOfItsClient) {
  CuptiLaunch& open = begin();
  launches_.launched(1);
  record(1, 10);
  launches_.launched(2);
  launches_.abandon_all(*this);
  EXPECT_EQ(lost_, 0) << "its thread still has it";
  CuptiLaunch* const other = launches_.begin(*this, operation_, {});
  ASSERT_NE(other, &open) << "the place is not free";
  launches_.end(*other);
  EXPECT_EQ(lost_, 1) << "without a kernel";
  launches_.end(open);
  record(2, 20);
  EXPECT_EQ(latencies_, (std::vector<double>{30}));
  EXPECT_EQ(launches_.active(), 0u);
}

TEST_F(CuptiLaunchesTest, ADrainGivesUpWhatHasEndedWhileOthersLaunch) {
  // The thread sanitizer checks the fields of slots that one thread takes while another scans all slots.
  class Counting final : public CuptiClient {
   public:
    void receive(const CuptiLaunch&, Latency) noexcept override { ++ended; }
    void lost(const CuptiLaunch&) noexcept override { ++ended; }
    std::atomic<int> ended{0};
  };
  constexpr int rounds = 5'000;
  Counting client;
  Counting bystander;
  std::atomic<bool> done{false};
  std::thread drainer([&] {
    do launches_.abandon_all(bystander), launches_.abandon_all(client);
    while (!done.load());
  });
  for (std::uint32_t i = 0; i < rounds; ++i) {
    CuptiLaunch* const launch = launches_.begin(client, operation_, {});
    ASSERT_NE(launch, nullptr);
    if (i % 3 != 0) launches_.launched(i + 1);
    if (i % 3 == 1) launches_.not_launched(i + 1);
    launches_.end(*launch);
    if (i % 3 == 2) record(i + 1, 5);
  }
  done = true;
  drainer.join();
  EXPECT_EQ(client.ended, rounds) << "each launch is told once";
  EXPECT_EQ(bystander.ended, 0);
  EXPECT_EQ(launches_.active(), 0u);
}

TEST_F(CuptiLaunchesTest, ThreadsAndTheirRecordsMayMeetInAnyWay) {
  // Ids pass between two threads through plain arrays of atomics: one thread launches, the other delivers.
  constexpr std::uint32_t rounds = 20'000;
  std::atomic<std::uint32_t> launched{0};
  std::thread deliverer([&] {
    for (std::uint32_t id = 1; id <= 2 * rounds; ++id) {
      while (launched.load(std::memory_order_acquire) < id) std::this_thread::yield();
      record(id, id % 2 == 1 ? 1 : 2);
    }
  });
  for (std::uint32_t i = 0; i < rounds; ++i) {
    CuptiLaunch* launch = launches_.begin(*this, operation_, {});
    while (launch == nullptr) {
      std::this_thread::yield();
      launch = launches_.begin(*this, operation_, {});
    }
    launches_.launched(2 * i + 1);
    launched.store(2 * i + 1, std::memory_order_release);
    launches_.launched(2 * i + 2);
    // The launch ends before it is delivered, so that only the other thread calls the client.
    launches_.end(*launch);
    launched.store(2 * i + 2, std::memory_order_release);
  }
  deliverer.join();
  EXPECT_EQ(latencies_.size(), rounds);
  for (const double ns : latencies_) ASSERT_EQ(ns, 3);
  EXPECT_EQ(launches_.active(), 0u);
}

}  // namespace
}  // namespace adaptive::cuda

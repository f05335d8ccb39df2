// Tests workers that share shapes on a board: which worker gets which shape, and what happens if a worker
// leaves.
#include "tuning/queue/shared_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/error.hpp>

#include "tests/tuning/fake_target.hpp"
#include "tests/tuning/memory_board.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::tuning {
namespace {

using kernels::Shape;

std::vector<TrialRow> rows_of(const std::string& shape) {
  return {
      {.operation = "fake", .shape = shape, .variant = "a", .phase = "race", .trial = {.latency_us = 2.5}}};
}

class SharedQueueTest : public testing::Test {
 protected:
  static constexpr double lease = 30.0;

  std::unique_ptr<SharedQueue> join(const std::string& worker, std::size_t shapes = 3,
                                    const std::string& options = "as usual") {
    return std::make_unique<SharedQueue>(std::make_unique<MemoryBoard>(board_),
                                         SharedQueue::Plan{{"options", options}}, shapes,
                                         SharedQueueOptions{.worker = worker,
                                                            .lease_seconds = lease,
                                                            .poll_seconds = 0.0,
                                                            .heart_beats = false,
                                                            .clock = [this] { return now_ += tick_; }});
  }

  SharedTexts board_;
  double now_ = 0.0, tick_ = 0.0;
};

TEST_F(SharedQueueTest, GivesEachShapeToOneWorker) {
  const auto a = join("a"), b = join("b");
  EXPECT_EQ(a->take().shape, 0u);
  EXPECT_EQ(b->take().shape, 1u);
  EXPECT_EQ(a->take().shape, 2u) << "a process has several devices";
  EXPECT_EQ(b->take().shape, std::nullopt);
  EXPECT_FALSE(b->take().all_finished);
}

TEST_F(SharedQueueTest, TellsTheOthersWhatIsFinishedOnce) {
  const auto a = join("a"), b = join("b");
  ASSERT_EQ(a->take().shape, 0u);
  EXPECT_TRUE(a->finish(0, rows_of("m=1")));
  const Offer offer = b->take();
  EXPECT_EQ(offer.shape, 1u);
  ASSERT_EQ(offer.finished.size(), 1u);
  EXPECT_EQ(offer.finished[0].shape, 0u);
  EXPECT_EQ(offer.finished[0].rows, rows_of("m=1"));
  const Offer second = b->take();
  EXPECT_EQ(second.shape, 2u);
  EXPECT_TRUE(second.finished.empty());
  EXPECT_TRUE(a->take().finished.empty()) << "its own";
  EXPECT_TRUE(b->finish(1, rows_of("m=2")));
  EXPECT_TRUE(b->finish(2, rows_of("m=3")));
  const Offer last = a->take();
  EXPECT_TRUE(last.all_finished);
  EXPECT_EQ(last.finished.size(), 2u);
  const Offer late = join("late")->take();
  EXPECT_TRUE(late.all_finished);
  EXPECT_EQ(late.finished.size(), 3u);
}

TEST_F(SharedQueueTest, WhatIsGivenBackGoesToAnother) {
  const auto a = join("a", 1), b = join("b", 1);
  ASSERT_EQ(a->take().shape, 0u);
  a->give_back(0);
  EXPECT_EQ(b->take().shape, 0u);
  a->give_back(0);
  EXPECT_EQ(a->take().shape, std::nullopt) << "only who has a shape can give it back";
}

TEST_F(SharedQueueTest, GivesALostWorkersShapeOutAgain) {
  auto lost = join("lost", 1);
  const auto b = join("b", 1);
  ASSERT_EQ(lost->take().shape, 0u);
  ASSERT_EQ(b->take().shape, std::nullopt);
  now_ += lease - 1.0;
  lost->beat();
  EXPECT_EQ(b->take().shape, std::nullopt);
  now_ += lease - 1.0;
  EXPECT_EQ(b->take().shape, std::nullopt) << "a heart-beat later than the first look";
  now_ += 1.0;
  EXPECT_EQ(b->take().shape, 0u);
  lost->beat();
  EXPECT_EQ(join("c", 1)->take().shape, std::nullopt) << "b has it";
}

TEST_F(SharedQueueTest, AFirstLookIsNoLostWorker) {
  const auto a = join("a", 1);
  const auto b = join("b", 1);
  now_ += 10.0 * lease;  // b was busy with other work
  ASSERT_EQ(a->take().shape, 0u);
  EXPECT_EQ(b->take().shape, std::nullopt);
}

TEST_F(SharedQueueTest, TheFirstToFinishCounts) {
  const auto slow = join("slow", 1), b = join("b", 1);
  ASSERT_EQ(slow->take().shape, 0u);
  b->take();
  now_ += lease;
  ASSERT_EQ(b->take().shape, 0u);
  EXPECT_TRUE(slow->finish(0, rows_of("slow's"))) << "late, but nobody was faster";
  EXPECT_FALSE(b->finish(0, rows_of("b's")));
  const Offer offer = b->take();
  EXPECT_TRUE(offer.all_finished);
  ASSERT_EQ(offer.finished.size(), 1u);
  EXPECT_EQ(offer.finished[0].rows, rows_of("slow's"));
  EXPECT_EQ(join("c", 1)->take().finished[0].rows, rows_of("slow's"));
}

TEST_F(SharedQueueTest, WorksForOnePlanOnly) {
  const auto a = join("a");
  try {
    join("b", 3, "others");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("other options"), std::string::npos) << e.what();
  }
  EXPECT_NO_THROW(join("c"));
}

TEST_F(SharedQueueTest, OutlastsAnOutageOfLessThanALease) {
  const auto a = join("a", 2);
  tick_ = 1.0;
  board_.failures = 5;
  EXPECT_EQ(a->take().shape, 0u);
  board_.failures = 5;
  EXPECT_TRUE(a->finish(0, rows_of("m=1")));
  board_.failures = 1000;
  a->beat();
  a->give_back(0);
  EXPECT_THROW(a->take(), Error);
  EXPECT_THROW(join("b", 2), Error) << "who comes to a wrong address learns it at once";
}

// A restarted server has lost all data.
TEST_F(SharedQueueTest, EndsThoughTheBoardForgets) {
  const auto a = join("a", 2), b = join("b", 2);
  ASSERT_EQ(a->take().shape, 0u);
  ASSERT_EQ(b->take().shape, 1u);
  EXPECT_TRUE(a->finish(0, rows_of("m=1")));
  board_.groups.clear();
  EXPECT_TRUE(b->finish(1, rows_of("m=2")));
  EXPECT_TRUE(a->take().all_finished);
  EXPECT_EQ(b->take().shape, 0u) << "what a has found is lost to b";
}

// Two workers take turns, like processes on two machines: one leaves in the middle of its shape, and one
// joins late.
TEST_F(SharedQueueTest, ARunOfManyEndsAsARunOfOne) {
  FakeDevice alone;
  FakeTarget one(alone);
  TrialLog whole;
  const std::vector<Shape> shapes = one.bench_shapes();
  const std::string expected = table::print(to_table(tune({&one}, shapes, whole), 1));

  const auto work = [&](const std::string& worker, FakeDevice& device, TrialLog& log) {
    const auto queue = join(worker, shapes.size());
    FakeTarget target(device);
    return tune({&target}, shapes, log, {.clock = [] { return 0.0; }, .queue = queue.get()});
  };
  FakeDevice broken, early, late;
  int opened = 0;
  broken.opening = [&](const Shape&) {
    if (++opened == 2) throw DeviceError("fell off the bus");
  };
  TrialLog first, second, third;
  EXPECT_EQ(work("broken", broken, first).count_done(), 1u);
  EXPECT_EQ(table::print(to_table(work("early", early, second), 1)), expected);
  EXPECT_EQ(broken.trials + early.trials, alone.trials) << "no trial is made twice";
  EXPECT_EQ(table::print(to_table(work("late", late, third), 1)), expected);
  EXPECT_EQ(late.trials, 0u);
  for (const Shape& shape : shapes) {
    const std::string name = kernels::to_string(one.dimensions(), shape);
    EXPECT_EQ(third.rows("fake", name), whole.rows("fake", name));
  }
}

TEST(BoardAddress, IsRead) {
  EXPECT_EQ(parse_board_address("redis://tables.local/night"), (BoardAddress{"tables.local", 6379, "night"}));
  EXPECT_EQ(parse_board_address("redis://10.0.0.7:7000/a"), (BoardAddress{"10.0.0.7", 7000, "a"}));
  EXPECT_EQ(parse_board_address("redis:///run/redis.sock/a"), (BoardAddress{"/run/redis.sock", 6379, "a"}));
  for (const char* wrong : {"", "tables.local/a", "http://a/b", "redis://", "redis://host", "redis://host/",
                            "redis:///a", "redis://:7000/a", "redis://host:/a", "redis://host:70000/a",
                            "redis://host:x/a", "redis://host/0/a", "redis://user:word@host/a"})
    EXPECT_THROW(parse_board_address(wrong), Error) << wrong;
}

}  // namespace
}  // namespace adaptive::tuning

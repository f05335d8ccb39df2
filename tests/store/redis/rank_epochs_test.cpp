// Tests that ranks take up tables at the same step through a real server, in C++ and in C.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>

#include <adaptive/redis/c.h>
#include <adaptive/adaptive.hpp>
#include <adaptive/redis.hpp>

#include "store/redis/connection.hpp"
#include "tests/selector/rank_of_a_job.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/store/redis/redis_server.hpp"

namespace adaptive {
namespace {

using test::RankOfAJob;

class RankEpochsOverRedis : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.start();
  }
  RankOfAJob rank(int number) const { return {redis_store(server_.options()), number}; }
  std::filesystem::path table(std::uint32_t variant) const {
    return test::table_of_a_job(folder_ / "", variant);
  }

  const test::ScratchFolder folder_;
  test::RedisServer server_{folder_ / ""};
};

TEST_F(RankEpochsOverRedis, ATableTakesEffectAtTheSameStepOnAllRanks) {
  const RankOfAJob zero = rank(0);
  const RankOfAJob one = rank(1);
  const RankOfAJob two = rank(2);
  EXPECT_THROW(one.epochs->step(0), Error) << "rank 0 has not begun";
  for (std::uint64_t step = 0; step < 60; ++step) {
    const bool risen = zero.epochs->step(step);
    for (const RankOfAJob* other : {&one, &two}) {
      EXPECT_EQ(other->epochs->step(step), risen) << step;
      EXPECT_EQ(other->choice(), zero.choice()) << step;
    }
    EXPECT_EQ(zero.choice(), step < 20 ? 0U : step < 50 ? 2U : 1U) << step;
    if (step == 3) zero.epochs->announce(table(2));
    if (step == 30) zero.epochs->announce(table(1));
  }
  const RankOfAJob late = rank(3);
  EXPECT_TRUE(late.epochs->step(59));
  EXPECT_EQ(late.choice(), 1U);
  EXPECT_EQ(late.selector->epoch(), 2U);
}

TEST_F(RankEpochsOverRedis, AServerThatLosesEverythingIsToldAgain) {
  const RankOfAJob zero = rank(0);
  const RankOfAJob one = rank(1);
  zero.epochs->announce(table(1));
  EXPECT_TRUE(zero.epochs->step(0));
  EXPECT_TRUE(one.epochs->step(0));
  server_.kill();
  EXPECT_THROW(zero.epochs->step(10), Error);
  EXPECT_THROW(one.epochs->step(10), Error);
  EXPECT_EQ(zero.choice(), 1U);
  EXPECT_EQ(one.choice(), 1U);
  server_.start();
  EXPECT_THROW(one.epochs->step(10), Error) << "a server that has lost everything knows of no decision";
  EXPECT_FALSE(zero.epochs->step(10));
  EXPECT_FALSE(one.epochs->step(10));
  const RankOfAJob late = rank(2);
  EXPECT_TRUE(late.epochs->step(10));
  EXPECT_EQ(late.choice(), 1U);
}

TEST_F(RankEpochsOverRedis, JobsAndStatisticsDoNotMeet) {
  const RankOfAJob zero = rank(0);
  zero.epochs->announce(table(1));
  zero.epochs->step(0);
  redis_store(server_.options())->write("other", "decisions", {{"decisions", "not one"}});
  redis::Connection connection(server_.options());
  EXPECT_EQ(connection.run({"ZCARD", "adaptive:ranks-job:writers"}).integer, 2)
      << "the decisions and one table";
  EXPECT_FALSE(zero.epochs->step(10));
}

TEST_F(RankEpochsOverRedis, AProgramInCHasThem) {
  const RankOfAJob zero = rank(0);
  zero.epochs->announce(table(2));
  zero.epochs->step(0);

  adaptive_options* options = nullptr;
  adaptive_selector* selector = nullptr;
  adaptive_store* store = nullptr;
  adaptive_rank_epochs* epochs = nullptr;
  ASSERT_EQ(adaptive_options_create(&options), ADAPTIVE_OK);
  ASSERT_EQ(adaptive_options_set_device(options, "Test Device 1", nullptr, nullptr), ADAPTIVE_OK);
  ASSERT_EQ(adaptive_options_set_background(options, false), ADAPTIVE_OK);
  ASSERT_EQ(adaptive_options_set_use_environment(options, false), ADAPTIVE_OK);
  ASSERT_EQ(adaptive_options_set_rank_consistent(options, true), ADAPTIVE_OK);
  ASSERT_EQ(adaptive_selector_create(options, &selector), ADAPTIVE_OK);
  adaptive_options_destroy(options);
  adaptive_spec* spec = nullptr;
  adaptive_operation* operation = nullptr;
  ASSERT_EQ(adaptive_spec_create("op", &spec), ADAPTIVE_OK);
  ASSERT_EQ(adaptive_spec_add_size(spec, "m", 1.0, ADAPTIVE_ROUND_NONE), ADAPTIVE_OK);
  for (const char* variant : {"a", "b", "c"})
    ASSERT_EQ(adaptive_spec_add_variant(spec, variant), ADAPTIVE_OK);
  ASSERT_EQ(adaptive_selector_define(selector, spec, &operation), ADAPTIVE_OK);
  adaptive_spec_destroy(spec);
  EXPECT_EQ(adaptive_redis_store_create(nullptr, 0, nullptr, nullptr, nullptr, 0, nullptr),
            ADAPTIVE_INVALID_ARGUMENT);
  ASSERT_EQ(adaptive_redis_store_create(server_.options().host.c_str(), 0, nullptr, nullptr, nullptr, 10'000,
                                        &store),
            ADAPTIVE_OK);
  ASSERT_EQ(adaptive_rank_epochs_create(selector, store, "job", 1, 10, 0, &epochs), ADAPTIVE_OK)
      << adaptive_last_error();
  adaptive_store_destroy(store);
  bool risen = false;
  EXPECT_EQ(adaptive_rank_epochs_step(epochs, 0, &risen), ADAPTIVE_OK) << adaptive_last_error();
  EXPECT_TRUE(risen);
  EXPECT_EQ(adaptive_selector_epoch(selector), 1U);
  const std::int64_t key[] = {64};
  EXPECT_EQ(adaptive_operation_select(operation, key, 1).variant, 2U);
  EXPECT_EQ(adaptive_rank_epochs_step(epochs, 20, &risen), ADAPTIVE_UNAVAILABLE) << "rank 0 is at step 0";
  adaptive_rank_epochs_destroy(epochs);
  adaptive_selector_destroy(selector);
}

}  // namespace
}  // namespace adaptive

// Tests the cache of the variants that keys beyond `max_keys` run.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "operation/keys/refused_keys.hpp"

namespace adaptive::inline v1::core {
namespace {

TEST(RefusedKeys, KeepAnAnswerForItsGeneration) {
  RefusedKeys keys(2);
  EXPECT_FALSE(keys.find({0, 0}, 0).has_value()) << "zeros are a key like any other";
  keys.put({8, 9}, 5, {65'535, true});
  ASSERT_TRUE(keys.find({8, 9}, 5).has_value());
  EXPECT_EQ(keys.find({8, 9}, 5)->variant, 65'535u);
  EXPECT_TRUE(keys.find({8, 9}, 5)->known);
  EXPECT_FALSE(keys.find({8, 9}, 6).has_value());
  EXPECT_FALSE(keys.find({9, 8}, 5).has_value());
  keys.put({8, 9}, 6, {1, false});
  EXPECT_EQ(keys.find({8, 9}, 6)->variant, 1u);
  EXPECT_FALSE(keys.find({8, 9}, 6)->known);
}

TEST(RefusedKeys, KeepEveryNumberOfValues) {
  for (std::size_t size = 1; size <= Key::capacity; ++size) {
    RefusedKeys keys(size);
    Key key = Key::of_size(size);
    for (std::size_t i = 0; i < size; ++i) key[i] = static_cast<std::int64_t>(i) - 3;
    keys.put(key, 1, {7, false});
    EXPECT_EQ(keys.find(key, 1)->variant, 7u);
    key[size - 1] = -99;
    EXPECT_FALSE(keys.find(key, 1).has_value());
  }
}

TEST(RefusedKeys, PutOutOthersOnlyWhereTheirSetIsFull) {
  RefusedKeys keys(1);
  constexpr int count = 100'000;
  const auto found = [&](std::uint32_t generation) {
    int sum = 0;
    for (int m = 0; m < count; ++m)
      if (const auto answer = keys.find({m}, generation)) {
        EXPECT_EQ(answer->variant, static_cast<std::uint32_t>(m % 1000));
        ++sum;
      }
    return sum;
  };
  for (const std::uint32_t generation : {1u, 2u}) {
    for (int m = 0; m < count; ++m) keys.put({m}, generation, {static_cast<std::uint32_t>(m % 1000), false});
    EXPECT_EQ(found(generation), static_cast<int>(RefusedKeys::sets * RefusedKeys::ways));
  }
  EXPECT_EQ(found(1), 0);
  EXPECT_TRUE(keys.find({count - 1}, 2).has_value()) << "the latest stays";
}

// The values and the variant of an entry belong together whenever the entry is read.
TEST(RefusedKeys, AreReadWholeWhileTheyAreReplaced) {
  RefusedKeys keys(6);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 200'000; ++i) {
      const std::int64_t m = i % 20'000;
      keys.put({m, m, m, m, m, m}, 1, {static_cast<std::uint32_t>(m), false});
    }
    done = true;
  });
  while (!done)
    for (std::int64_t m = 0; m < 20'000; m += 7)
      if (const auto answer = keys.find({m, m, m, m, m, m}, 1)) {
        ASSERT_EQ(answer->variant, static_cast<std::uint32_t>(m));
      }
  writer.join();
}

TEST(RefusedKeys, CountTheCallsOfAllThreads) {
  RefusedKeys keys(1);
  std::thread other([&] {
    detail::number_this_thread();
    for (int i = 0; i < 1000; ++i) keys.count_call();
  });
  for (int i = 0; i < 1000; ++i) keys.count_call();
  other.join();
  EXPECT_EQ(keys.calls(), 2000u);
}

}  // namespace
}  // namespace adaptive::core

// Tests that no number is handed out twice and none is lost.
#include "cuda/free_list.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace adaptive::inline v1::cuda {
namespace {

TEST(FreeList, HandsOutWhatItWasGiven) {
  FreeList list(4);
  EXPECT_EQ(list.pop(), FreeList::none);
  list.push(2);
  list.push(0);
  EXPECT_EQ(list.pop(), 0u);
  list.push(3);
  EXPECT_EQ(list.pop(), 3u);
  EXPECT_EQ(list.pop(), 2u);
  EXPECT_EQ(list.pop(), FreeList::none);
}

TEST(FreeList, GivesANumberToOneThreadAtATime) {
  constexpr std::uint32_t numbers = 8;
  constexpr int rounds = 20'000;
  FreeList list(numbers);
  std::vector<std::atomic<int>> holders(numbers);
  for (std::uint32_t i = 0; i < numbers; ++i) list.push(i);
  std::atomic<int> faults{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        const std::uint32_t number = list.pop();
        if (number == FreeList::none) continue;
        if (holders[number].fetch_add(1) != 0) ++faults;
        holders[number].fetch_sub(1);
        list.push(number);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(faults.load(), 0);
  std::set<std::uint32_t> left;
  for (std::uint32_t number = list.pop(); number != FreeList::none; number = list.pop()) left.insert(number);
  EXPECT_EQ(left.size(), numbers);
}

}  // namespace
}  // namespace adaptive::cuda

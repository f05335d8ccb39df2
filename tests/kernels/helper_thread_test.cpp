#include "kernels/common/cpu/helper_thread.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace adaptive::kernels {
namespace {

// Plain ints on purpose: with them, TSan proves that each piece runs once and that its effects are visible
// afterwards.
void expect_each_piece_once(std::size_t pieces) {
  std::vector<int> runs(pieces, 0);
  auto piece = [&](std::size_t i, int thread) {
    EXPECT_TRUE(thread == 0 || thread == 1);
    ++runs[i];
  };
  run_on_two_threads(pieces, piece);
  EXPECT_EQ(runs, std::vector<int>(pieces, 1));
}

TEST(HelperThread, RunsEachPieceOnce) {
  start_helper_thread();
  start_helper_thread();
  for (const std::size_t pieces : {0u, 1u, 2u, 3u, 8u, 1000u})
    for (int repeat = 0; repeat < 200; ++repeat) expect_each_piece_once(pieces);
}

TEST(HelperThread, WakesAfterSleep) {
  start_helper_thread();
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    expect_each_piece_once(8);
  }
}

TEST(HelperThread, SharesLongWork) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one processor";
  start_helper_thread();
  std::array<int, 2> pieces_of_thread{};
  for (int repeat = 0; repeat < 50 && pieces_of_thread[1] == 0; ++repeat) {
    auto piece = [&](std::size_t, int thread) {
      ++pieces_of_thread[static_cast<std::size_t>(thread)];
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    run_on_two_threads(16, piece);
  }
  EXPECT_GT(pieces_of_thread[1], 0) << "the helper never took a piece";
}

TEST(HelperThread, ServesManyCallers) {
  start_helper_thread();
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([] {
      for (int repeat = 0; repeat < 500; ++repeat) expect_each_piece_once(9);
    });
  for (std::thread& caller : callers) caller.join();
}

TEST(HelperThread, MayBeCalledFromAPiece) {
  start_helper_thread();
  auto outer = [](std::size_t, int) { expect_each_piece_once(4); };
  run_on_two_threads(3, outer);
}

}  // namespace
}  // namespace adaptive::kernels

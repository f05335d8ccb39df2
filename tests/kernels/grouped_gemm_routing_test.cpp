// Tests routings made from a shape and from a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels/common/random.hpp"
#include "kernels/grouped_gemm/routing.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

TEST(GroupedGemmRouting, ByTilesHasTheTilesThatWereAskedFor) {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t experts = 1 + random.below(256);
    const std::int64_t filled = 1 + random.below(experts);
    const std::int64_t tokens = filled + random.below(i % 2 == 0 ? 100 : 20000);
    const std::int64_t least = least_row_tiles(tokens, filled);
    const std::int64_t most = most_row_tiles(tokens, filled);
    ASSERT_LE(least, most);
    for (const std::int64_t tiles : {least, least + random.below(most - least + 1), most}) {
      const auto rows = rows_by_tiles(tokens, experts, filled, tiles, static_cast<std::uint64_t>(i));
      ASSERT_EQ(rows.size(), static_cast<std::size_t>(experts));
      const RoutingSummary summary = summary_of(rows);
      ASSERT_EQ(summary.tokens, tokens);
      ASSERT_EQ(summary.filled, filled);
      ASSERT_EQ(summary.row_tiles, tiles);
    }
  }
  EXPECT_EQ(rows_by_tiles(0, 4, 0, 0, 1), std::vector<std::int64_t>(4, 0));
}

TEST(GroupedGemmRouting, ByZipfFillsAsManyExpertsAsAsked) {
  const RoutingSummary summary = summary_of(rows_by_zipf(1000, 64, 20, 3));
  EXPECT_EQ(summary.tokens, 1000);
  EXPECT_EQ(summary.filled, 20);
}

TEST(GroupedGemmRouting, ByRouterSendsATokenToAnExpertOnce) {
  const auto rows = rows_by_router(50, 8, 10, 2.0, 7);
  EXPECT_EQ(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}), 400);
  EXPECT_LE(*std::max_element(rows.begin(), rows.end()), 50);
  EXPECT_EQ(rows_by_router(3, 8, 4, 0.5, 1), std::vector<std::int64_t>(4, 3))
      << "fewer experts than asked for";
}

TEST(GroupedGemmRouting, ByRouterIsEvenWithoutSkew) {
  const auto even = rows_by_router(4096, 2, 8, 0.0, 9);
  EXPECT_LT(*std::max_element(even.begin(), even.end()), 1200);
  EXPECT_GT(*std::min_element(even.begin(), even.end()), 850);
  const auto uneven = rows_by_router(4096, 2, 8, 1.0, 9);
  EXPECT_GT(*std::max_element(uneven.begin(), uneven.end()),
            2 * *std::min_element(uneven.begin(), uneven.end()));
}

}  // namespace
}  // namespace adaptive::kernels::grouped_gemm

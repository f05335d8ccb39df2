// What a table's own measurements prove against its incumbent.
#include "prior/table_proof.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace adaptive::inline v1::core {
namespace {

class TableProof : public testing::Test {
 protected:
  /// Latencies with 2 % noise.
  static SeedVariant measured(std::uint32_t variant, double ns, std::uint64_t count) {
    return {variant, count, ns, ns, 0.0004 * ns * ns, 0};
  }
  std::optional<std::uint32_t> faster() const {
    const auto best = proven_faster(entry_, candidates_, {});
    return best ? std::optional(best->variant) : std::nullopt;
  }

  SeedEntry entry_{.key = {64}, .incumbent = 0, .trusted = true, .source = "table.json", .variants = {}};
  std::vector<std::uint32_t> candidates_ = {0, 1, 2};
};

TEST_F(TableProof, TwelveTimesAsFastIsProvenByFewResults) {
  for (const bool trusted : {true, false}) {
    entry_.trusted = trusted;
    entry_.variants = {measured(0, 1200, 3), measured(1, 100, 3)};
    EXPECT_EQ(faster(), 1u);
  }
}

TEST_F(TableProof, TheFastestOfThemIsNamed) {
  entry_.variants = {measured(2, 90, 50), measured(0, 1200, 50), measured(1, 100, 50)};
  EXPECT_EQ(faster(), 2u);
  candidates_ = {0, 1};
  EXPECT_EQ(faster(), 1u) << "of those that can run the key";
}

TEST_F(TableProof, AFewPercentOfDifferentRunsProveNothing) {
  entry_.variants = {measured(0, 105, 1000), measured(1, 100, 1000)};
  EXPECT_EQ(faster(), std::nullopt);
  entry_.variants = {measured(0, 120, 1000), measured(1, 100, 1000)};
  EXPECT_EQ(faster(), 1u);
  entry_.trusted = false;
  EXPECT_EQ(faster(), std::nullopt) << "on another device the order may well be another";
}

TEST_F(TableProof, OneNoisyResultProvesLittle) {
  entry_.variants = {measured(0, 140, 1), measured(1, 100, 1)};
  EXPECT_EQ(faster(), std::nullopt);
  for (SeedVariant& v : entry_.variants) v.count = 1000;
  EXPECT_EQ(faster(), 1u);
  for (SeedVariant& v : entry_.variants) {
    v.count = 20;
    v.variance_ns2 = v.mean_ns * v.mean_ns;
  }
  EXPECT_EQ(faster(), std::nullopt) << "latencies that vary by as much as they last";
}

TEST_F(TableProof, AnIncumbentWithoutMeasurementsIsFollowed) {
  entry_.variants = {measured(1, 100, 1000)};
  EXPECT_EQ(faster(), std::nullopt);
  entry_.variants.push_back({0, 0, 0.0, 0.0, 0.0, 0});
  EXPECT_EQ(faster(), std::nullopt);
  entry_.incumbent = SeedEntry::none;
  EXPECT_EQ(faster(), std::nullopt);
}

TEST_F(TableProof, AHeavyTailIsNotFaster) {
  entry_.variants = {measured(0, 1200, 1000), measured(1, 100, 1000)};
  entry_.variants[1].mean_ns = 1300;
  EXPECT_EQ(faster(), std::nullopt);
}

TEST_F(TableProof, AVariantThatFailedIsNotFaster) {
  entry_.variants = {measured(0, 1200, 1000), measured(1, 100, 1000)};
  entry_.variants[1].failures = 1;
  EXPECT_EQ(faster(), std::nullopt);
}

}  // namespace
}  // namespace adaptive::core

// Tests that two launches that share a parameter are chosen by the sum of their costs.
#include <adaptive/joint.hpp>

#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

std::vector<Variant> up() {
  return {{.name = "u16", .parameters = {{"block_m", 16}, {"warps", 4}}},
          {.name = "u64", .parameters = {{"block_m", 64}, {"warps", 4}}},
          {.name = "u64w8", .parameters = {{"block_m", 64}, {"warps", 8}}}};
}

std::vector<Variant> down() {
  return {{.name = "d64", .parameters = {{"block_m", 64}}}, {.name = "d16", .parameters = {{"block_m", 16}}}};
}

TEST(Joint, PairsAgreeInTheSharedParameter) {
  const JointVariants pairs = joint_variants(up(), down(), "block_m");
  ASSERT_EQ(pairs.variants.size(), 3U);
  EXPECT_EQ(pairs.variants[0].name, "u16+d16");
  EXPECT_EQ(pairs.variants[2].name, "u64w8+d64");
  EXPECT_EQ(pairs.parts[2], (std::array<std::uint32_t, 2>{2, 0}));
  const Parameters expected = {{"block_m", 64}, {"first.warps", 8}};
  EXPECT_EQ(pairs.variants[2].parameters, expected);
}

TEST(Joint, APairSupportsWhatBothSupport) {
  std::vector<Variant> first = up();
  std::vector<Variant> second = down();
  first[0].supports = [](const Key& key) { return key[0] % 2 == 0; };
  second[1].supports = [](const Key& key) { return key[0] % 3 == 0; };
  const JointVariants pairs = joint_variants(first, second, "block_m");
  EXPECT_TRUE(pairs.variants[0].supports({6}));
  EXPECT_FALSE(pairs.variants[0].supports({2}));
  EXPECT_FALSE(pairs.variants[0].supports({3}));
  EXPECT_FALSE(pairs.variants[1].supports) << "both run every key";
}

TEST(Joint, RefusesWhatCannotBePaired) {
  std::vector<Variant> other = down();
  EXPECT_THROW(joint_variants(up(), other, "warps"), Error);
  for (Variant& variant : other) variant.parameters["block_m"] = 32;
  EXPECT_THROW(joint_variants(up(), other, "block_m"), Error);
}

// For the first launch 16 is the best by a little; for the second 64 is the best by much more.
TEST(Joint, TheLeastSumWins) {
  const JointVariants pairs = joint_variants(up(), down(), "block_m");
  OperationSpec spec = test::operation({"unused"}, "mlp");
  spec.variants = pairs.variants;
  Selector selector(test::options());
  Operation& mlp = selector.define(spec);
  const std::vector<double> up_ns = {900, 1'000, 1'100};
  const std::vector<double> down_ns = {1'000, 2'000};
  Random random(1);
  for (int call = 0; call < 300; ++call) {
    JointLaunch launch(mlp, mlp.select({64}));
    const auto [first, second] = pairs.parts[launch.variant()];
    launch.add(Latency(test::noisy(random, up_ns[first], 0.01)));
    launch.add(Latency(test::noisy(random, down_ns[second], 0.01)));
  }
  EXPECT_EQ(mlp.explain({64}).leader, "u64+d64");
}

TEST(Joint, RecordsOnceAndOnlyWhole) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a"}));
  JointLaunch launch(op, op.select({1}));
  ASSERT_TRUE(launch.timed());
  launch.add(Latency(100));
  EXPECT_EQ(op.counters().results, 0U);
  launch.add(Latency(50));
  launch.add(Latency(7));
  launch.fail();
  EXPECT_EQ(op.counters().results, 1U);
  EXPECT_EQ(op.counters().failures, 0U);
  EXPECT_DOUBLE_EQ(op.explain({1}).candidates[0].mean_ns, 150.0);
}

TEST(Joint, AFailureSetsThePairAside) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  JointLaunch launch(op, op.select({1}));
  launch.add(Latency(100));
  launch.fail();
  EXPECT_EQ(op.counters().failures, 1U);
  EXPECT_FALSE(op.explain({1}).candidates[launch.variant()].available);
}

}  // namespace
}  // namespace adaptive

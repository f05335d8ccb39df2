// Tests that variants of another numeric class than the default's run only if the program allows it.
#include <gtest/gtest.h>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

/// "a" and "c" give the same bits; "b" is the fastest and rounds differently.
OperationSpec classes(bool mix = false) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.variants[0].numeric_class = spec.variants[2].numeric_class = "fp32";
  spec.variants[1].numeric_class = "tf32";
  spec.mix_numeric_classes = mix;
  return spec;
}

const std::vector<double> latencies_ns = {300, 100, 200};

TEST(NumericClass, OthersAreNeverRun) {
  Selector selector(test::options());
  Operation& op = selector.define(classes());
  for (int call = 0; call < 2'000; ++call) {
    const Decision decision = op.select({64});
    ASSERT_NE(decision.variant(), 1U);
    op.record(decision, Latency(latencies_ns[decision.variant()]));
  }
  EXPECT_EQ(op.explain({64}).incumbent, "c");
  EXPECT_EQ(op.explain({64}).other_class, std::vector<std::string>{"b"});
}

TEST(NumericClass, AreMixedWhereTheProgramAsks) {
  Selector selector(test::options());
  Operation& op = selector.define(classes(true));
  test::launch(op, {64}, latencies_ns, 2'000);
  EXPECT_EQ(op.explain({64}).leader, "b");
  EXPECT_TRUE(op.explain({64}).other_class.empty());
}

TEST(NumericClass, TheDefaultOfAKeySaysWhich) {
  OperationSpec spec = classes();
  spec.default_variant = [](const Key& key) { return key[0] == 1 ? 1U : 0U; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.explain({1}).candidates.size(), 1U);
  EXPECT_EQ(op.explain({1}).candidates[0].name, "b");
  EXPECT_EQ(op.explain({2}).candidates.size(), 2U);
}

TEST(NumericClass, SeedsNeighboursAndPredictionsStayWithinIt) {
  const test::ScratchFolder folder;
  Selector tuner(test::options());
  Operation& measured = tuner.define(classes(true));
  for (std::int64_t m = 1; m <= 16'384; m *= 2) test::learn(measured, {m}, latencies_ns);
  ASSERT_EQ(test::incumbent(measured, {64}), 1U);
  tuner.save(folder / "table.json");
  SelectorOptions options = test::options();
  options.tables.places = {folder / "table.json"};
  Selector selector(options);
  Operation& op = selector.define(classes());
  EXPECT_EQ(op.explain({64}).match.kind, MatchKind::exact);
  EXPECT_EQ(op.select({64}).variant(), 2U) << "the fastest of the class";
  EXPECT_NE(op.explain({96}).match.kind, MatchKind::fallback) << "from near entries or from the model";
  EXPECT_EQ(op.select({96}).variant(), 2U);
}

TEST(NumericClass, ANewVariantOfAnotherClassIsLeftAlone) {
  Selector selector(test::options());
  Operation& op = selector.define(classes());
  op.select({64});
  op.add_variant({.name = "d", .numeric_class = "tf32"});
  op.add_variant({.name = "e", .numeric_class = "fp32"});
  EXPECT_EQ(op.explain({64}).candidates.size(), 3U);
}

TEST(NumericClass, ForcingGoesBeyondIt) {
  Selector selector(test::options());
  Operation& op = selector.define(classes());
  op.select({64});
  const Forced forced = op.force("b");
  EXPECT_EQ(op.select({64}).variant(), 1U);
}

}  // namespace
}  // namespace adaptive

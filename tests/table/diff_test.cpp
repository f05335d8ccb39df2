#include "table/comparing/diff.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include <adaptive/random.hpp>
#include <adaptive/statistics.hpp>

#include "sample_table.hpp"
#include "table/merging/shares.hpp"
#include "tests/base/effort.hpp"

namespace adaptive::inline v1::table {
namespace {

OperationTable& matmul(Table& table) {
  return table.operations.at("mixed_bit_matmul");
}

TEST(Diff, OfATableWithItselfIsEmpty) {
  const Diff none = diff(sample_table(), sample_table());
  EXPECT_TRUE(none.fingerprint.empty());
  EXPECT_TRUE(none.operations.empty());
}

TEST(Diff, LatenciesOfVariantsThatBothMeasuredAreCompared) {
  Table after = sample_table();
  Entry& entry = matmul(after).entries.at(Key{16, 4096, -3, 1, 0b0101});
  entry.incumbent = "reference";
  entry.variants.at("tile64").location_ns *= 1.25;
  const Diff changes = diff(sample_table(), after);
  ASSERT_EQ(changes.operations.size(), 1u);
  ASSERT_EQ(changes.operations[0].entries.size(), 1u);
  const EntryDiff& change = changes.operations[0].entries[0];
  EXPECT_EQ(change.key, "tokens=16 features=4096 layer=-3 dtype=bf16 bits=2+4");
  EXPECT_EQ(change.before, "tile64");
  EXPECT_EQ(change.after, "reference");
  ASSERT_EQ(change.latencies.size(), 2u);
  EXPECT_EQ(change.latencies[0].comparison.change, 0.0);
  EXPECT_NEAR(change.latencies[1].comparison.change, 0.25, 1e-12);
  EXPECT_TRUE(change.latencies[1].comparison.slower());
}

// A table of one operation with `keys` keys, each measured `count` times, with lognormal latencies of 100 us.
Table run_of_a_program(std::uint64_t seed, std::int64_t keys, std::uint64_t count, double deviation,
                       double slowdown_of_the_first = 1.0) {
  Random random(seed);
  Table table;
  OperationTable& operation = table.operations["op"];
  operation.name = "op";
  operation.dimensions = {size_dimension("m")};
  operation.variants["v"] = {};
  for (std::int64_t m = 1; m <= keys; ++m) {
    KeyStatistics statistics;
    statistics.candidates.resize(1);
    for (std::uint64_t i = 0; i < count; ++i) {
      double normal = -6.0;  // the Irwin-Hall sum is nearly normal
      for (int part = 0; part < 12; ++part) normal += random.uniform();
      statistics.add(0, 1e5 * (m == 1 ? slowdown_of_the_first : 1.0) * std::exp(deviation * normal));
    }
    const VariantStatistics& all = statistics.candidates[0];
    Entry& entry = operation.entries[Key{m}];
    entry.key = Key{m};
    entry.incumbent = "v";
    entry.variants["v"] =
        record_of("w" + std::to_string(seed),
                  {all.total_count, all.mean_ns, all.variance_ns(), std::exp(all.location), 0});
  }
  return table;
}

std::size_t count_slower(const Diff& diff) {
  std::size_t count = 0;
  for (const EntryDiff& entry : diff.operations.at(0).entries)
    for (const LatencyChange& change : entry.latencies) count += change.comparison.slower() ? 1 : 0;
  return count;
}

TEST(Diff, TwoRunsOfOneProgramDifferByTheNoiseAlone) {
  // 20,000 comparisons, from few results of quiet variants to many results with heavy tails. Each diff of a
  // hundred keys reports a false change, faster or slower, with a probability of one percent: of 40 diffs
  // none or one.
  constexpr std::uint64_t seeds = test::inputs(20);
  for (const double deviation : {0.01, 0.1, 0.7}) {
    for (const std::uint64_t count : {2u, 5u, 50u}) {
      int wrong = 0;
      for (std::uint64_t seed = 1; seed <= seeds; ++seed)
        wrong += count_slower(diff(run_of_a_program(seed, 100, count, deviation),
                                   run_of_a_program(1000 + seed, 100, count, deviation))) > 0
                     ? 1
                     : 0;
      EXPECT_LE(wrong, 1) << deviation << ' ' << count;
    }
  }
}

TEST(Diff, ARealChangeIsFoundAmongManyKeys) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(count_slower(diff(run_of_a_program(seed, 100, 50, 0.05),
                                run_of_a_program(1000 + seed, 100, 50, 0.05, 1.1))),
              1u);
}

TEST(Diff, AFewResultsThatAgreeDoNotMakeANoisyVariantPrecise) {
  const Statistics before{39, 10'589'622.0, 289'186'572'286'607.1, 3'112'285.0, 0};
  const Statistics after{3, 23'982'068.0, 68'159'612'840'033.3, 23'098'662.0, 0};
  EXPECT_TRUE(compare(before, after, 4).within_noise());
  // If the noise exceeds 100 %, a decrease can be certain all the same.
  const Statistics wide{10, 1e6, 1e12, 1e6, 0};
  const Statistics fast{10, 1e3, 1e6, 1e3, 0};
  EXPECT_GT(compare(wide, fast).noise, 1.0);
  EXPECT_TRUE(compare(wide, fast).faster());
  EXPECT_FALSE(compare(wide, {10, 5e5, 2.5e11, 5e5, 0}).faster());
}

TEST(Diff, KeysThatCameAndWentAreListed) {
  Table after = sample_table();
  auto& entries = matmul(after).entries;
  entries[Key{64, 64, 0, 0, 0}].incumbent = "tile64";
  entries.erase(Key{32, 4096, 0, 0, 0});
  const Diff changes = diff(sample_table(), after);
  ASSERT_EQ(changes.operations.at(0).entries.size(), 2u);
  EXPECT_EQ(changes.operations[0].entries[0].change, KeyChange::added);
  EXPECT_EQ(changes.operations[0].entries[1].change, KeyChange::removed);
}

TEST(Diff, AVariantThatFailsNowIsMarked) {
  Table after = sample_table();
  matmul(after).entries.at(Key{16, 4096, -3, 1, 0b0101}).variants["reference"] = {Statistics{.failures = 2},
                                                                                  {}};
  const EntryDiff change = diff(sample_table(), after).operations.at(0).entries.at(0);
  EXPECT_TRUE(change.latencies.at(0).fails_now);
  EXPECT_FALSE(change.latencies.at(1).fails_now);
}

TEST(Diff, ChangedDefinitionsAreListed) {
  Table after = sample_table();
  after.fingerprint.driver = "590.1";
  after.fingerprint.libraries["cudnn"] = "9";
  after.operations.erase("copy");
  matmul(after).variants["tile64"] = {{"tile", 128}};
  matmul(after).variants["tile8"] = {{"tile", 8}, {"split", true}};
  const Diff changes = diff(sample_table(), after);
  EXPECT_EQ(changes.fingerprint,
            (std::vector<std::string>{"driver 580.159.04, now 590.1", "cudnn unknown, now 9"}));
  ASSERT_EQ(changes.operations.size(), 2u);
  EXPECT_EQ(changes.operations[0].definitions, std::vector<std::string>{"is gone, with 0 keys"});
  ASSERT_EQ(changes.operations[1].definitions.size(), 2u);
  EXPECT_TRUE(changes.operations[1].definitions[0].ends_with("now \"tile\": 128"));
  EXPECT_EQ(changes.operations[1].definitions[1], "variant tile8 is new: \"split\": true, \"tile\": 8");
}

TEST(Diff, OtherDimensionsCannotBeCompared) {
  Table after = sample_table();
  matmul(after).dimensions.front().name = "rows";
  const OperationDiff change = diff(sample_table(), after).operations.at(0);
  EXPECT_NE(change.definitions.at(0).find("cannot be compared"), std::string::npos);
  EXPECT_TRUE(change.entries.empty());
}

}  // namespace
}  // namespace adaptive::table

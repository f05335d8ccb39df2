#include "table/diff.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sample_table.hpp"

namespace adaptive::table {
namespace {

OperationTable& matmul(Table& table) {
  return table.operations.at("mixed_bit_matmul");
}

TEST(Diff, OfATableWithItselfIsEmpty) {
  const Diff none = diff(sample_table(), sample_table());
  EXPECT_TRUE(none.fingerprint.empty());
  EXPECT_TRUE(none.operations.empty());
}

TEST(Diff, LatenciesOfVariantsThatBothMeasured) {
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

TEST(Diff, KeysThatCameAndWent) {
  Table after = sample_table();
  auto& entries = matmul(after).entries;
  entries[Key{64, 64, 0, 0, 0}].incumbent = "tile64";
  entries.erase(Key{32, 4096, 0, 0, 0});
  const Diff changes = diff(sample_table(), after);
  ASSERT_EQ(changes.operations.at(0).entries.size(), 2u);
  EXPECT_EQ(changes.operations[0].entries[0].change, KeyChange::added);
  EXPECT_EQ(changes.operations[0].entries[1].change, KeyChange::removed);
}

TEST(Diff, AVariantThatFailsNow) {
  Table after = sample_table();
  matmul(after).entries.at(Key{16, 4096, -3, 1, 0b0101}).variants["reference"] = {Statistics{.failures = 2},
                                                                                  {}};
  const EntryDiff change = diff(sample_table(), after).operations.at(0).entries.at(0);
  EXPECT_TRUE(change.latencies.at(0).fails_now);
  EXPECT_FALSE(change.latencies.at(1).fails_now);
}

TEST(Diff, Definitions) {
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

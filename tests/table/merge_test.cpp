#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <adaptive/error.hpp>

#include "sample_table.hpp"
#include "table/merging/merge.hpp"
#include "table/merging/ownership.hpp"
#include "table/merging/shares.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {
namespace {

Statistics statistics_of(const std::vector<double>& latencies) {
  Statistics record;
  record.count = latencies.size();
  for (const double x : latencies) record.mean_ns += x / static_cast<double>(record.count);
  for (const double x : latencies)
    record.variance_ns2 += (x - record.mean_ns) * (x - record.mean_ns) /
                           static_cast<double>(record.count > 1 ? record.count - 1 : 1);
  record.location_ns = record.mean_ns;
  return record;
}

OperationTable with(const Statistics& record, const std::string& incumbent = "a", std::int64_t time = 0) {
  OperationTable table;
  table.name = "op";
  table.dimensions = {size_dimension("m"), set_dimension("bits", {"2", "4"})};
  table.variants = {{"a", {}}, {"b", {}}};
  Entry entry;
  entry.key = Key{1, 0b01};
  entry.incumbent = incumbent;
  entry.time = time;
  entry.variants["a"] = {record, {}};
  table.entries[entry.key] = entry;
  return table;
}

const Statistics& record_in(const OperationTable& table) {
  return table.entries.at(Key{1, 1}).variants.at("a");
}

TEST(Merge, AddsUpToWhatOneRunWouldHaveFound) {
  // The means are far from zero, where a formula with sums of squares would lose all digits.
  const std::vector<double> first = {1e9 + 1, 1e9 + 2, 1e9 + 4};
  const std::vector<double> second = {1e9 + 3, 1e9 + 9};
  OperationTable table = with(statistics_of(first));
  EXPECT_EQ(merge(table, with(statistics_of(second))), (MergeCounts{0, 1, 0}));
  const Statistics& merged = record_in(table);
  EXPECT_EQ(merged.count, 5u);
  EXPECT_DOUBLE_EQ(merged.mean_ns, 1e9 + 3.8);
  EXPECT_NEAR(merged.variance_ns2, 9.7, 1e-5);
}

TEST(Merge, OneResultHasNoVarianceOfItsOwn) {
  OperationTable table = with(statistics_of({4.0}));
  merge(table, with(statistics_of({6.0})));
  EXPECT_DOUBLE_EQ(record_in(table).variance_ns2, 2.0);
}

TEST(Merge, WithoutResultsOnlyFailuresAdd) {
  OperationTable table = with({0, 0.0, 0.0, 0.0, 2});
  merge(table, with({3, 5.0, 1.0, 4.0, 1}));
  EXPECT_EQ(record_in(table), (Statistics{3, 5.0, 1.0, 4.0, 3}));
  merge(table, with({0, 0.0, 0.0, 0.0, 4}));
  EXPECT_EQ(record_in(table), (Statistics{3, 5.0, 1.0, 4.0, 7}));
}

TEST(Merge, LocationsAreAveragedByCount) {
  OperationTable table = with({1, 5.0, 0.0, 10.0, 0});
  merge(table, with({3, 5.0, 0.0, 20.0, 0}));
  EXPECT_DOUBLE_EQ(record_in(table).location_ns, 17.5);
}

// Quantiles of two sets do not tell those of their union, so none are made up.
TEST(Merge, QuantilesOfSeveralWritersAreTheLatestOnes) {
  const Statistics earlier{100, 5.0, 1.0, 5.0, 0, 0, {100, 5.0, 6.0, 7.0}};
  const Statistics later{10, 4.0, 1.0, 4.0, 0, 0, {10, 4.0, 4.5, 4.5}};
  const Statistics without{1000, 4.0, 1.0, 4.0, 0};
  VariantRecord record = record_of("2a", earlier);
  join(record, record_of("4c", without));
  EXPECT_EQ(record.recent, earlier.recent);
  join(record, record_of("3b", later));
  EXPECT_EQ(record.recent, later.recent) << "the name of a writer begins with the time";
  EXPECT_EQ(record.count, 1110U);
  EXPECT_EQ(record.shares.at(0).statistics, earlier);
}

TEST(Merge, RecordsThatDifferInQuantilesAloneDiffer) {
  const Statistics plain{10, 4.0, 1.0, 4.0, 0};
  Statistics with_quantiles = plain;
  with_quantiles.recent = {10, 4.0, 4.5, 4.5};
  EXPECT_NE(shares_of({plain, {}}).at(0).writer, shares_of({with_quantiles, {}}).at(0).writer);
}

TEST(Merge, CountsStopAtTheirLimit) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 53;
  OperationTable table = with({limit, 5.0, 1.0, 5.0, limit});
  merge(table, with({limit, 6.0, 1.0, 6.0, limit}));
  EXPECT_EQ(record_in(table).count, limit);
  EXPECT_EQ(record_in(table).failures, limit);
}

TEST(Merge, TheLaterIncumbentStays) {
  const auto merged = [](const OperationTable& a, const OperationTable& b) {
    OperationTable table = a;
    merge(table, b);
    return table.entries.at(Key{1, 1});
  };
  const OperationTable early = with({}, "a", 10), late = with({}, "b", 20), none = with({}, "", 30);
  for (const Entry& entry : {merged(early, late), merged(late, early)}) {
    EXPECT_EQ(entry.incumbent, "b");
    EXPECT_EQ(entry.time, 20);
  }
  for (const Entry& entry : {merged(early, none), merged(none, early)}) {
    EXPECT_EQ(entry.incumbent, "a");
    EXPECT_EQ(entry.time, 10);  // the time of the incumbent
  }
  OperationTable adapted = with({}, "b", 10);
  adapted.entries.at(Key{1, 1}).origin = Origin::adapted;
  for (const Entry& entry : {merged(early, adapted), merged(adapted, early)}) EXPECT_EQ(entry.incumbent, "b");

  OperationTable table = early;
  EXPECT_EQ(merge(table, late).incumbents_changed, 1u);
}

TEST(Merge, DimensionsAndLabelsAreMatchedByName) {
  OperationTable other;
  other.name = "op";
  other.dimensions = {set_dimension("bits", {"8", "4", "2"}), size_dimension("m")};
  other.variants = {{"c", {{"tile", 8}}}};
  for (const Key& key : {Key{0b100, 1}, Key{0b011, 1}}) {
    other.entries[key].key = key;
    other.entries[key].variants["c"] = {1, 7.0, 0.0, 7.0, 0};
  }
  OperationTable table = with(statistics_of({5.0}));
  EXPECT_EQ(merge(table, other), (MergeCounts{1, 1, 0}));
  EXPECT_EQ(table.dimensions[1].labels, (std::vector<std::string>{"2", "4", "8"}));
  EXPECT_EQ(table.entries.at(Key{1, 0b001}).variants.size(), 2u);
  EXPECT_EQ(table.entries.at(Key{1, 0b110}).variants.at("c").count, 1u);
  EXPECT_EQ(table.entries.at(Key{1, 0b110}).key, (Key{1, 0b110}));
  EXPECT_EQ(table.variants.at("c").at("tile"), Parameter(8));
}

TEST(Merge, TablesOfOtherKeysAreRefusedAndNothingChanges) {
  const OperationTable original = with(statistics_of({5.0}));
  const auto refused = [&](const std::vector<Dimension>& dimensions) {
    OperationTable other = original;
    other.dimensions = dimensions;
    OperationTable table = original;
    EXPECT_THROW(merge(table, other), Error);
    EXPECT_EQ(table, original);
  };
  refused({size_dimension("m")});
  refused({size_dimension("n"), set_dimension("bits", {"2", "4"})});
  refused({linear_dimension("m"), set_dimension("bits", {"2", "4"})});
  refused({size_dimension("m", 1.0, Rounding::power_of_two), set_dimension("bits", {"2", "4"})});
  std::vector<std::string> labels;
  for (int i = 0; i < 63; ++i) labels.push_back("other" + std::to_string(i));
  refused({size_dimension("m"), set_dimension("bits", labels)});

  Table into, from;
  into.operations["op"] = original;
  from.operations["another"] = original;
  from.operations["op"] = original;
  from.operations["op"].dimensions.pop_back();
  const Table before = into;
  EXPECT_THROW(merge(into, from), Error);
  EXPECT_EQ(into, before);
}

TEST(Merge, WholeTables) {
  Table table = sample_table();
  Table other = sample_table();
  other.fingerprint.driver = "580.200.01";
  other.fingerprint.libraries.clear();
  other.operations["new"] = large_table(5).operations.at("matmul");
  EXPECT_EQ(merge(table, other), (MergeCounts{5, 2, 0}));
  EXPECT_EQ(table.operations.size(), 3u);
  EXPECT_EQ(table.fingerprint.device, "NVIDIA H200");
  EXPECT_EQ(table.fingerprint.driver, "");
  EXPECT_TRUE(table.fingerprint.libraries.empty());
}

TEST(Merge, TheSameTableTwiceCountsOnce) {
  const Table sample = sample_table();
  Table table = sample;
  merge(table, sample);
  EXPECT_EQ(table, sample);
  Table other = sample;
  other.operations.at("mixed_bit_matmul").entries.begin()->second.variants.at("reference").count += 1;
  merge(table, other);
  const Table once = table;
  merge(table, other);
  merge(table, sample);
  EXPECT_EQ(table, once);
}

TEST(Merge, OfOneWriterTheLaterStateCounts) {
  const auto of = [](const std::string& writer, std::uint64_t count) {
    OperationTable table = with({});
    table.entries.at(Key{1, 1}).variants["a"] = record_of(writer, {count, 5.0, 0.0, 5.0, 0});
    return table;
  };
  OperationTable table = of("x", 10);
  merge(table, of("y", 7));
  merge(table, of("x", 4));  // an older file of the same process
  EXPECT_EQ(record_in(table).count, 17u);
  merge(table, of("x", 12));
  EXPECT_EQ(record_in(table).count, 19u);
}

Entry entry_of(const std::string& writer, std::uint64_t count, std::uint64_t generation = 0) {
  Entry entry;
  entry.key = Key{1, 1};
  entry.origin = Origin::imported;  // like an entry for which nobody has chosen a variant
  if (generation > 0) entry.generations[writer] = generation;
  choose(entry, writer, {"a", Origin::adapted, 10});
  entry.variants["a"] = record_of(writer, {count, 5.0, 0.0, 5.0, 0});
  return entry;
}

Entry joined(Entry into, const Entry& from) {
  join(into, from);
  return into;
}

TEST(Merge, OfOneWriterTheHigherGenerationCounts) {
  const Entry before = entry_of("x", 100), after = entry_of("x", 10, 1), other = entry_of("y", 7);
  for (const Entry& entry : {joined(before, after), joined(after, before),
                             joined(joined(before, other), after), joined(before, joined(other, after))})
    EXPECT_EQ(entry.variants.at("a").shares.front().statistics.count, 10u);
  EXPECT_EQ(joined(joined(before, other), after).variants.at("a").count, 17u);
}

TEST(Merge, AGenerationWithoutResultsVoidsOlderOnes) {
  Entry reset;
  reset.origin = Origin::imported;
  reset.generations["x"] = 1;
  Entry claimed = entry_of("x", 100);
  for (const Entry& entry : {joined(claimed, reset), joined(reset, claimed)}) {
    EXPECT_EQ(entry.variants.at("a"), VariantRecord{});
    EXPECT_EQ(entry.incumbent, "");
    EXPECT_EQ(entry.chosen_by, "");
  }
  // The earlier choice of another writer applies again.
  Entry other = entry_of("y", 7);
  choose(claimed, "x", {"b", Origin::adapted, 20});
  EXPECT_EQ(joined(other, claimed).incumbent, "b");
  EXPECT_EQ(joined(other, claimed).claims.at("y").incumbent, "a");
  EXPECT_EQ(joined(joined(other, claimed), reset).incumbent, "a");
  EXPECT_EQ(joined(joined(other, claimed), reset), joined(other, joined(claimed, reset)));
}

TEST(Merge, AChoiceOutranksAllOthers) {
  Entry entry = entry_of("x", 1);
  choose(entry, "y", {"b", Origin::adapted, 3});
  EXPECT_EQ(entry.incumbent, "b");
  EXPECT_EQ(entry.time, 11) << "no sooner than the other";
  const Entry once = entry;
  choose(entry, "y", {"b", Origin::adapted, 3});
  EXPECT_EQ(entry, once);
  rank_claims(entry);
  EXPECT_EQ(entry, once);
}

TEST(Merge, AnEntryKeepsItsNewestWriters) {
  Entry entry = entry_of("w9", 1);
  for (int i = 8; i >= 0; --i) join(entry, entry_of("w" + std::to_string(i), 1));
  Entry same = entry;
  EXPECT_EQ(cut(same, 10), 0u);
  EXPECT_EQ(same, entry);
  EXPECT_EQ(cut(entry, 4), 6u);
  EXPECT_EQ(entry.variants.at("a").count, 4u);
  EXPECT_EQ(entry.variants.at("a").shares.front().writer, "w6");
  EXPECT_EQ(entry.claims.size() + 1, 4u);
  EXPECT_EQ(cut(entry, 2, "w6"), 1u);
  EXPECT_EQ(entry.variants.at("a").shares.front().writer, "w6") << "kept besides";
  EXPECT_EQ(entry.variants.at("a").count, 3u);
}

TEST(Merge, CutsToTheNewestWritersAndCountsThem) {
  const WritersMax few(3);
  const auto table_of = [](int writer) {
    OperationTable table = with({});
    table.entries.at(Key{1, 1}) = entry_of("w" + std::to_string(writer), 1);
    return table;
  };
  OperationTable upwards = table_of(0), downwards = table_of(7);
  std::size_t removed = 0;
  for (int i = 1; i < 8; ++i) removed += merge(upwards, table_of(i)).writers_cut;
  for (int i = 6; i >= 0; --i) merge(downwards, table_of(i));
  EXPECT_EQ(removed, 5u);
  EXPECT_EQ(upwards, downwards);
  EXPECT_EQ(record_in(upwards).count, 3u);
  EXPECT_EQ(merge(upwards, table_of(0)).writers_cut, 1u) << "an older one does not come back";
  EXPECT_EQ(upwards, downwards);
}

TEST(Merge, SharesWithoutANameAreCutByRecord) {
  Entry entry;
  entry.key = Key{1, 1};
  for (const char* variant : {"a", "b"})
    for (std::uint64_t i = 1; i <= 5; ++i) join(entry.variants[variant], {{i, 5.0, 0.0, 5.0, 0}, {}});
  EXPECT_EQ(cut(entry, 3), 4u);
  EXPECT_EQ(entry.variants.at("a").shares.size(), 3u);
  EXPECT_EQ(entry.variants.at("b").shares.size(), 3u);
}

TEST(Merge, ConflictsAreListedAndNothingChanges) {
  Table table = sample_table();
  Table other = sample_table();
  other.fingerprint.driver = "570.1";
  other.operations.at("copy").dimensions = {size_dimension("words")};
  other.operations.at("mixed_bit_matmul").variants.at("tile64")["tile"] = 128;
  other.operations.at("mixed_bit_matmul").variants.at("reference") = {};
  const std::vector<Notice> found = conflicts(table, other);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].where, "fingerprint");
  EXPECT_NE(found[0].what.find("driver"), std::string::npos);
  EXPECT_EQ(found[1].where, "copy");
  EXPECT_EQ(found[2].where, "mixed_bit_matmul/tile64");
  EXPECT_THROW(merge(table, other), Error);
  EXPECT_EQ(table, sample_table());
}

TEST(Merge, ConflictsCanBeTakenOut) {
  Table table = sample_table();
  Table other = sample_table();
  other.operations.at("copy").dimensions = {size_dimension("words")};
  other.operations.at("mixed_bit_matmul").variants.at("tile64")["tile"] = 128;
  EXPECT_EQ(remove_conflicts(other, table).size(), 2u);
  EXPECT_FALSE(other.operations.contains("copy"));
  for (const auto& [key, entry] : other.operations.at("mixed_bit_matmul").entries) {
    EXPECT_FALSE(entry.variants.contains("tile64"));
    EXPECT_NE(entry.incumbent, "tile64");
  }
  EXPECT_TRUE(conflicts(table, other).empty());
}

}  // namespace
}  // namespace adaptive::table

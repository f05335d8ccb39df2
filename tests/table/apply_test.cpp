// Tests every line of the rule in apply.hpp, and that skipped entries do not change.
#include "table/comparing/apply.hpp"

#include <gtest/gtest.h>

#include <string>

#include <adaptive/error.hpp>

#include "sample_table.hpp"
#include "table/merging/merge.hpp"
#include "table/merging/shares.hpp"

namespace adaptive::inline v1::table {
namespace {

constexpr std::uint64_t many = 1000;

VariantRecord measured(double location_ns, std::uint64_t count = many, double deviation_ns = 1.0) {
  return {Statistics{count, location_ns, deviation_ns * deviation_ns, location_ns, 0}, {}};
}

Table with(const std::string& incumbent, const std::map<std::string, VariantRecord>& records,
           std::int64_t time = 0) {
  Table table;
  table.fingerprint.device = "cpu";
  OperationTable& operation = table.operations["op"];
  operation.name = "op";
  operation.dimensions = {size_dimension("m")};
  for (const char* name : {"old", "new"}) operation.variants[name] = {{"name", name}};
  Entry& entry = operation.entries[Key{8}];
  entry.key = Key{8};
  entry.incumbent = incumbent;
  entry.origin = Origin::measured;
  entry.time = time;
  entry.variants = records;
  return table;
}

const Entry& entry_of(const Table& table) {
  return table.operations.at("op").entries.at(Key{8});
}

// Applies the only entry and returns the message about it. Checks that the entry is skipped and nothing
// changes, or that it is accepted and copied.
std::string applied(const Table& into, const Table& from, bool accepted) {
  Table table = into;
  const std::vector<AppliedEntry> result = apply(table, from);
  if (result.size() != 1) return "not one entry";
  EXPECT_EQ(result[0].accepted, accepted) << result[0].reason;
  EXPECT_EQ(result[0].key, "m=8");
  if (accepted)
    EXPECT_EQ(entry_of(table).incumbent, entry_of(from).incumbent);
  else
    EXPECT_EQ(table, into);
  return result[0].reason;
}

TEST(Apply, ANewKeyIsTaken) {
  Table table;
  const Table from = with("new", {{"new", measured(100)}});
  ASSERT_EQ(apply(table, from).size(), 1u);
  EXPECT_EQ(entry_of(table), entry_of(from));
  EXPECT_EQ(table.fingerprint, from.fingerprint);
  Table other = from;
  other.operations.at("op").entries.clear();
  EXPECT_EQ(apply(other, from).at(0).reason, "a new key");
}

TEST(Apply, WhereThereWasNoIncumbentOneIsTaken) {
  EXPECT_EQ(applied(with("", {}), with("new", {}), true), "there was no incumbent");
}

TEST(Apply, TheSameIncumbentIsSkipped) {
  EXPECT_EQ(applied(with("old", {{"old", measured(100)}}), with("old", {{"old", measured(50)}}), false),
            "the same variant");
}

TEST(Apply, AClaimReplacesNothing) {
  EXPECT_EQ(applied(with("old", {{"old", measured(100)}}), with("new", {}), false), "not measured");
  EXPECT_EQ(applied(with("old", {}), with("new", {}), false), "not measured");
}

TEST(Apply, AMeasurementReplacesAClaim) {
  EXPECT_EQ(applied(with("old", {}), with("new", {{"new", measured(100)}}), true),
            "the incumbent was never measured");
}

TEST(Apply, OnlyWhatIsFasterByMoreThanTheNoise) {
  const Table old = with("old", {{"old", measured(100)}});
  EXPECT_EQ(applied(old, with("new", {{"new", measured(95)}}), true), "5.0 % faster, noise 1.0 %");
  EXPECT_EQ(applied(old, with("new", {{"new", measured(99.5)}}), false),
            "0.5 % faster, which is within the noise of 1.0 %");
  EXPECT_EQ(applied(old, with("new", {{"new", measured(105)}}), false), "5.0 % slower");
  // The same gain, but a deviation of 10 % and five results each.
  EXPECT_NE(applied(with("old", {{"old", measured(100, 5, 10)}}), with("new", {{"new", measured(95, 5, 10)}}),
                    false)
                .find("within the noise"),
            std::string::npos);
  // One result tells nothing about the deviation, but is no certainty either.
  EXPECT_NE(
      applied(with("old", {{"old", measured(100, 1, 0)}}), with("new", {{"new", measured(95, 1, 0)}}), false)
          .find("within the noise"),
      std::string::npos);
}

TEST(Apply, TheSourcesOwnMeasurementOfTheOldIncumbentComesFirst) {
  const Table old = with("old", {{"old", measured(100)}});
  EXPECT_EQ(applied(old, with("new", {{"new", measured(95)}, {"old", measured(90)}}), false), "5.6 % slower");
  EXPECT_EQ(applied(old, with("new", {{"new", measured(110)}, {"old", measured(120)}}), true),
            "8.3 % faster, noise 1.0 %");
}

TEST(Apply, AnOlderSourceThatIsFasterWinsAllTheSame) {
  Table table = with("old", {{"old", measured(100)}}, 2000);
  apply(table, with("new", {{"new", measured(50)}}, 1000));
  EXPECT_EQ(entry_of(table).incumbent, "new");
  EXPECT_EQ(entry_of(table).time, 1000);
  EXPECT_EQ(entry_of(table).variants.size(), 2u);
}

TEST(Apply, TwiceChangesNothingMore) {
  Table table = with("old", {{"old", measured(100)}});
  const Table from = with("new", {{"new", measured(50)}});
  apply(table, from);
  const Table once = table;
  EXPECT_FALSE(apply(table, from).at(0).accepted);
  EXPECT_EQ(table, once);
}

TEST(Apply, LatenciesThatWereMeasuredAgainReplaceStaleOnes) {
  // The device has become faster, and both runs prefer the same variant.
  Table table = with("old", {{"old", measured(100)}, {"new", measured(300)}}, 10);
  const Table from = with("old", {{"old", measured(50)}}, 20);
  const std::vector<AppliedEntry> result = apply(table, from, Known::replaced);
  EXPECT_FALSE(result.at(0).accepted);
  EXPECT_TRUE(result.at(0).measured_again);
  EXPECT_EQ(entry_of(table).incumbent, "old");
  EXPECT_EQ(entry_of(table).time, 20);
  EXPECT_EQ(entry_of(table).variants.at("old").location_ns, 50.0);
  EXPECT_EQ(entry_of(table).variants.at("old").count, many);
  EXPECT_EQ(entry_of(table).variants.at("new").location_ns, 300.0) << "was not measured again";
}

TEST(Apply, AnIncumbentThatStaysKeepsTheNewMeasurements) {
  Table table = with("old", {{"old", measured(100)}}, 10);
  const Table from = with("new", {{"old", measured(50)}, {"new", measured(49.9)}}, 20);
  const std::vector<AppliedEntry> result = apply(table, from, Known::replaced);
  EXPECT_FALSE(result.at(0).accepted) << result.at(0).reason;
  EXPECT_EQ(entry_of(table).incumbent, "old");
  EXPECT_EQ(entry_of(table).variants.at("old").location_ns, 50.0);
  EXPECT_EQ(entry_of(table).variants.at("new").location_ns, 49.9);
}

TEST(Apply, AMergeDoesNotBringReplacedLatenciesBack) {
  Table production = with("old", {}, 10);
  Entry& entry = production.operations.at("op").entries.at(Key{8});
  entry.chosen_by = "run";
  entry.variants["old"] = record_of("run", measured(100));
  Table table = production;
  apply(table, with("old", {{"old", measured(50)}}, 20), Known::replaced);
  merge(table, production);
  EXPECT_EQ(entry_of(table).variants.at("old").location_ns, 50.0);
  EXPECT_EQ(entry_of(table).variants.at("old").count, many);
}

TEST(Apply, WithoutAMeasurementOfTheIncumbentNothingIsReplaced) {
  const Table before = with("old", {{"old", measured(100)}}, 10);
  Table table = before;
  const std::vector<AppliedEntry> result =
      apply(table, with("new", {{"new", measured(200)}}, 20), Known::replaced);
  EXPECT_FALSE(result.at(0).measured_again);
  EXPECT_EQ(table, before);
}

TEST(Apply, ConflictsAreRefused) {
  const Table before = with("old", {{"old", measured(100)}});
  Table table = before;
  Table other = with("new", {{"new", measured(50)}});
  other.operations.at("op").variants["new"] = {{"name", "another"}};
  EXPECT_THROW(apply(table, other), Error);
  other = with("new", {{"new", measured(50)}});
  other.operations.at("op").dimensions = {size_dimension("n")};
  EXPECT_THROW(apply(table, other), Error);
  other = with("new", {{"new", measured(50)}});
  other.fingerprint.device = "another";
  EXPECT_THROW(apply(table, other), Error);
  EXPECT_EQ(table, before);
}

}  // namespace
}  // namespace adaptive::table

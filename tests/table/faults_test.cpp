// Tests the notices for the files in tests/table/data, one for each kind of fault.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

#include "formats/seeds.hpp"
#include "sample_table.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {
namespace {

// Files of other systems are recognised by the formats that a program registers.
[[maybe_unused]] const bool formats_are_registered = (formats::register_with_tables(), true);

namespace fs = std::filesystem;

const fs::path data = ADAPTIVE_SOURCE_DIR "/tests/table/data";

// The place after the file name, and a part of the message.
struct Said {
  std::string place;
  std::string what;
};

const std::map<std::string, Said>& refused() {
  static const std::map<std::string, Said> all = {
      {"empty", {":1", "the file is empty"}},
      {"blank", {":1", "the file is empty"}},
      {"truncated", {":9:56", "expected a value, found the end of the file"}},
      {"not_json", {":1:1", "unexpected 't'"}},
      {"two_documents", {":2:1", "expected the end of the file, found '{'"}},
      {"trailing_comma", {":4:1", "expected a name in quotes, found '}'"}},
      {"zero_byte", {":1:43", "a zero byte"}},
      {"not_utf8", {":2:25", "not UTF-8"}},
      {"utf16", {":1:1", "not valid JSON"}},
      {"list", {":1", "the document is a list"}},
      {"number", {":1", "the document is a whole number"}},
      {"deep", {":1:80", "nested deeper than 32"}},
      {"no_schema", {"", "it has no \"schema\""}},
      {"other_schema", {"", "its \"schema\" is \"tuning-results\""}},
      {"no_version", {"", "no \"version\""}},
      {"bad_version", {":1#/version", "not a schema version"}},
      {"newer", {":3#/version", "schema version 3; this library reads versions up to 2"}},
      {"newer_version_first", {":2#/version", "schema version 4"}},
      {"vllm", {"", "looks like a vLLM or SGLang configuration"}},
      {"megablox", {"", "looks like a Megablox tuning cache"}},
      {"metal_marlin", {"", "looks like a Metal Marlin table"}},
      {"tpu_matmul", {"", "looks like a tpu-inference matmul table"}},
  };
  return all;
}

struct Used {
  std::size_t entries;  // of all operations
  std::vector<Said> notices;
};

const std::map<std::string, Used>& used() {
  const std::string op = "#/operations/op/";
  const auto entry = [&](int line, int index, const std::string& rest) {
    return ":" + std::to_string(line) + op + "entries/" + std::to_string(index) + rest;
  };
  const std::string again = "appears again; the first one counts";
  static const std::map<std::string, Used> all = {
      {"minimal", {0, {}}},
      {"windows", {1, {}}},
      {"sorted_by_jq", {2, {{entry(7, 1, "/incumbent"), "no variant is named \"x\""}}}},
      {"operations_list", {0, {{":1#/operations", "must be an object, but is a list"}}}},
      {"wrong_types",
       {2,
        {{":4#/tool", "must be a text, but is a whole number"},
         {":5#/fingerprint", "must be an object, but is a text"},
         {entry(12, 1, ""), "must be an object"},
         {entry(13, 2, ""), "has no key"},
         {entry(14, 3, "/key"), "must be an object, but is a list"},
         {entry(15, 4, "/key/m"), "must be a whole number, but is a text"},
         {entry(16, 5, "/key/dtype"), "must be a text"},
         {entry(17, 6, "/incumbent"), "must be a text"},
         {entry(17, 6, "/origin"), "must be a text"},
         {entry(17, 6, "/time"), "must be a text"},
         {entry(17, 6, "/variants"), "must be an object, but is a list"}}}},
      {"keys",
       {1,
        {{entry(10, 1, "/key"), "dimension \"dtype\" is missing"},
         {entry(11, 2, "/key/dtype"), "\"int4\" is not a label"},
         {entry(12, 3, "/key/n"), "no dimension has this name"},
         {entry(13, 4, "/key/m"), "must not be negative"},
         {entry(14, 5, "/key/m"), "must be a whole number"},
         {entry(15, 6, "/key/m"), "must be a whole number"},
         {entry(16, 7, "/key/m"), "appears again"},
         {entry(17, 8, "/key"), "this key has an entry already"}}}},
      {"numbers",
       {14,
        {{entry(10, 1, "/variants/a/count"), "must not be negative"},
         {entry(11, 2, "/variants/a/count"), "must be a whole number"},
         {entry(12, 3, "/variants/a/count"), "at most 2^53"},
         {entry(13, 4, "/variants/a/count"), "must be a whole number"},
         {entry(14, 5, "/variants/a/mean_ns"), "must not be negative"},
         {entry(15, 6, "/variants/a/mean_ns"), "too large"},
         {entry(16, 7, "/variants/a/variance_ns2"), "must not be negative"},
         {entry(17, 8, "/variants/a/location_ns"), "must be a number, but is a text"},
         {entry(18, 9, "/variants/a"), "belong together"},
         {entry(19, 10, "/variants/a"), "belong together"},
         {entry(20, 11, "/variants/a/failures"), "must not be negative"}}}},
      {"not_finite",
       {6,
        {{":7" + op + "variants/a/alpha", "not finite"},
         {":7" + op + "variants/a/beta", "not finite"},
         {entry(10, 1, "/variants/a/mean_ns"), "not finite"},
         {entry(11, 2, "/variants/a/mean_ns"), "not finite"},
         {entry(12, 3, "/variants/a/variance_ns2"), "not finite"},
         {entry(13, 4, "/variants/a/mean_ns"), "is null"},
         {entry(14, 5, "/variants/a/count"), "not finite"}}}},
      {"names",
       {2,
        {{":7" + op + "variants/", "must not be empty"},
         {":7" + op + "variants/c", "must be an object"},
         {":7" + op + "variants/d/x", "is null"},
         {":7" + op + "variants/d/y", "is a list"},
         {":7" + op + "variants/d/z", "is an object"},
         {entry(10, 1, "/incumbent"), "no variant is named \"fastest\""},
         {entry(10, 1, "/origin"), "unknown origin \"guessed\""},
         {entry(10, 1, "/time"), "must be a time"},
         {entry(10, 1, "/variants/fastest"), "no variant has this name"}}}},
      {"duplicates",
       {2,
        {{":4#/version", again},
         {":6#/tool", again},
         {":10" + op + "variants/a/x", again},
         {":10" + op + "variants/a", again},
         {":10" + op + "variants", again},
         {entry(13, 1, "/key"), "this key has an entry already"},
         {entry(14, 2, "/incumbent"), again},
         {entry(14, 2, "/variants/a/failures"), again},
         {entry(14, 2, "/variants/a"), again},
         {":17#/operations/op", again},
         {":19#/schema", again}}}},
      {"unknown_fields",
       {3,
        {{":4#/comment", "unknown field of a table"},
         {":5#/fingerprint/clocks", "unknown field of a fingerprint"},
         {":8" + op + "dimensions/0/unit", "unknown field of a dimension"},
         {":9" + op + "notes", "unknown field of an operation"},
         {entry(12, 1, "/tags"), "unknown field of an entry"},  // not repeated for the next entry
         {entry(12, 1, "/variants/a/median_ns"), "unknown field of a record"}}}},
      {"operations",
       {0,
        {{":5#/operations/no_dimensions", "has no dimensions; the operation is left out"},
         {":6#/operations/no_variants", "has no variants; the operation is left out"},
         {":7#/operations/empty_dimensions/dimensions", "at least one dimension"},
         {":7#/operations/empty_dimensions", "the operation is left out"},
         {":8#/operations/dimension_twice/dimensions/1/name", "appears again"},
         {":8#/operations/dimension_twice", "the operation is left out"},
         {":9#/operations/unknown_kind/dimensions/0/kind", "unknown kind \"colour\""},
         {":9#/operations/unknown_kind", "the operation is left out"},
         {":10#/operations/no_labels/dimensions/0", "has no labels"},
         {":10#/operations/no_labels", "the operation is left out"},
         {":11#/operations/label_twice/dimensions/0/labels/1", "appears again"},
         {":11#/operations/label_twice", "the operation is left out"},
         {":12#/operations/set_of_64/dimensions/0/labels", "more than 63 labels"},
         {":12#/operations/set_of_64", "the operation is left out"},
         {":13#/operations/thirteen/dimensions", "more than 12 dimensions"},
         {":13#/operations/thirteen", "the operation is left out"},
         {":14#/operations/nameless/dimensions/0", "has no name"},
         {":14#/operations/nameless", "the operation is left out"},
         {":15#/operations/not_an_object", "must be an object"},
         {":16#/operations/variants_list/variants", "must be an object, but is a list"},
         {":16#/operations/variants_list", "the operation is left out"},
         {":17#/operations/entries_object/entries", "must be a list, but is an object"},
         {":18#/operations/rounded_label/dimensions/0/weight", "must not be negative"},
         {":18#/operations/rounded_label/dimensions/1/rounding", "no rounding \"power_of_two\""}}}},
  };
  return all;
}

TEST(Faults, EveryFileIsAccountedFor) {
  for (const fs::directory_entry& file : fs::directory_iterator(data)) {
    const std::string name = file.path().stem().string();
    EXPECT_TRUE(refused().contains(name) != used().contains(name)) << name;
  }
}

TEST(Faults, WhatCannotBeUsedAtAllIsRefusedWithItsPlace) {
  for (const auto& [name, expected] : refused()) {
    const fs::path path = data / (name + ".json");
    SCOPED_TRACE(path.string());
    try {
      static_cast<void>(read(path));
      ADD_FAILURE() << "was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), path.string() + expected.place);
      EXPECT_NE(error.problem().find(expected.what), std::string::npos) << error.problem();
    }
  }
}

TEST(Faults, TheRestOfAFaultyFileIsUsed) {
  for (const auto& [name, expected] : used()) {
    const fs::path path = data / (name + ".json");
    SCOPED_TRACE(path.string());
    const ReadResult result = read(path);
    std::size_t entries = 0;
    for (const auto& [operation, content] : result.table.operations) entries += content.entries.size();
    EXPECT_EQ(entries, expected.entries);
    ASSERT_EQ(result.notices.size(), expected.notices.size());
    for (std::size_t i = 0; i < expected.notices.size(); ++i) {
      EXPECT_EQ(result.notices[i].where, path.string() + expected.notices[i].place);
      EXPECT_NE(result.notices[i].what.find(expected.notices[i].what), std::string::npos)
          << result.notices[i].what;
    }
    // The rest is valid: it can be written, and read without a notice.
    const ReadResult again = parse(print(result.table), name);
    EXPECT_TRUE(again.notices.empty());
    EXPECT_EQ(again.table, result.table);
  }
}

TEST(Faults, AnUnknownFieldIsNoFault) {
  for (const Notice& notice : read(data / "unknown_fields.json").notices)
    EXPECT_EQ(notice.level, LogLevel::info) << notice.where;
  for (const Notice& notice : read(data / "keys.json").notices)
    EXPECT_EQ(notice.level, LogLevel::warning) << notice.where;
}

TEST(Faults, TheFirstOfTwoValuesCounts) {
  const Table table = read(data / "duplicates.json").table;
  EXPECT_EQ(table.tool, "first");
  const OperationTable& operation = table.operations.at("op");
  EXPECT_EQ(operation.variants.at("a").at("x"), Parameter(1));
  EXPECT_EQ(operation.entries.at(Key{1, 0}).incumbent, "a");
  EXPECT_EQ(operation.entries.at(Key{2, 1}).variants.at("a").failures, 1u);
}

TEST(Faults, HalfAMeasurementIsNoneButItsFailuresStay) {
  const OperationTable operation = read(data / "numbers.json").table.operations.at("op");
  EXPECT_EQ(operation.entries.at(Key{2, 1}).variants.at("a"), (VariantRecord{0, 0.0, 0.0, 0.0, 3}));
  EXPECT_EQ(operation.entries.at(Key{12, 1}).variants.at("a"), (VariantRecord{2, 5.0, 0.0, 5.0, 0}));
  EXPECT_EQ(operation.entries.at(Key{14, 1}).variants.at("a"), (VariantRecord{3, 7.0, 0.0, 7.0, 0}));
}

TEST(Faults, AnUnknownOriginIsTheLeastTrusted) {
  EXPECT_EQ(read(data / "names.json").table.operations.at("op").entries.at(Key{2, 1}).origin,
            Origin::imported);
}

// Returns the record of variant v and the notices about it.
std::pair<VariantRecord, std::vector<std::string>> record_from(const std::string& text) {
  const ReadResult read = parse(R"({"schema": "adaptive-table", "version": 1, "operations": {"o": {
    "dimensions": [{"name": "m"}], "variants": {"v": {}}, "entries": [{"key": {"m": 1}, "variants": {"v": )" +
                                    text + "}}]}}}",
                                "t");
  std::vector<std::string> said;
  for (const Notice& notice : read.notices) said.push_back(notice.what);
  return {read.table.operations.at("o").entries.at(Key{1}).variants.at("v"), said};
}

TEST(Faults, OfWritersAreReported) {
  const auto one = record_from(R"({"count": 2, "mean_ns": 3, "writer": "w"})");
  EXPECT_TRUE(one.second.empty());
  ASSERT_EQ(one.first.shares.size(), 1u);
  EXPECT_EQ(one.first.shares[0].statistics.count, 2u);

  const auto nobody = record_from(R"({"count": 2, "mean_ns": 3, "writer": ")" + std::string(65, 'x') + "\"}");
  EXPECT_TRUE(nobody.first.shares.empty());
  EXPECT_EQ(nobody.first.count, 2u);
  ASSERT_EQ(nobody.second.size(), 1u);
  EXPECT_NE(nobody.second[0].find("longer than 64 bytes"), std::string::npos);

  const auto sums = record_from(R"({"count": 9, "mean_ns": 3, "writers": {"b": {"count": 1, "mean_ns": 4},
                                    "a": {"count": 1, "mean_ns": 2}}})");
  EXPECT_EQ(sums.first.count, 2u);
  EXPECT_EQ(sums.first.mean_ns, 3.0);
  EXPECT_EQ(sums.first.shares[0].writer, "a");
  ASSERT_EQ(sums.second.size(), 1u);
  EXPECT_NE(sums.second[0].find("do not add up"), std::string::npos);

  const auto twice = record_from(R"({"count": 1, "mean_ns": 3, "writers": {"a": {"count": 1, "mean_ns": 3},
                                     "a": {"count": 5, "mean_ns": 3}}})");
  EXPECT_EQ(twice.first.count, 1u);
  EXPECT_EQ(twice.second.size(), 1u);

  const auto list = record_from(R"({"count": 1, "mean_ns": 3, "writers": []})");
  EXPECT_EQ(list.first.count, 1u);
  EXPECT_EQ(list.second.size(), 1u);
}

// Returns the entry that has these members besides its key, and the notices about it.
std::pair<Entry, std::vector<std::string>> entry_from(const std::string& members) {
  const ReadResult read = parse(R"({"schema": "adaptive-table", "version": 2, "operations": {"o": {
    "dimensions": [{"name": "m"}], "variants": {"v": {}, "w": {}}, "entries": [{"key": {"m": 1}, )" +
                                    members + "}]}}}",
                                "t");
  std::vector<std::string> said;
  for (const Notice& notice : read.notices) said.push_back(notice.where + ": " + notice.what);
  return {read.table.operations.at("o").entries.at(Key{1}), said};
}

TEST(Faults, OfClaimsAreReported) {
  const auto sound = entry_from(R"("incumbent": "v", "origin": "adapted", "time": "2026-01-31T08:15:00Z",
    "chosen_by": "x", "claims": {"y": {"incumbent": "w", "origin": "measured"}, "#": {"incumbent": "v"}})");
  EXPECT_TRUE(sound.second.empty()) << sound.second.front();
  EXPECT_EQ(sound.first.chosen_by, "x");
  EXPECT_EQ(sound.first.claims.at("y"), (Claim{"w", Origin::measured, 0}));
  EXPECT_EQ(sound.first.claims.at("#"), (Claim{"v", Origin::imported, 0}));

  const auto later =
      entry_from(R"("incumbent": "v", "claims": {"y": {"incumbent": "w", "origin": "adapted"}})");
  ASSERT_EQ(later.second.size(), 1u);
  EXPECT_NE(later.second[0].find("outranks the incumbent"), std::string::npos);
  EXPECT_EQ(later.first.incumbent, "w");
  EXPECT_EQ(later.first.chosen_by, "y");
  EXPECT_EQ(later.first.claims.at("#").incumbent, "v");

  EXPECT_EQ(
      entry_from(R"("claims": {"y": {"incumbent": "z", "time": "2026-01-31T08:15:00Z"}})").second.size(), 2u)
      << "there is no z, and nothing else is claimed";
  EXPECT_EQ(
      entry_from(R"("incumbent": "v", "chosen_by": "x", "claims": {"x": {"incumbent": "v"}})").second.size(),
      1u);
  EXPECT_EQ(entry_from(R"("incumbent": "v", "chosen_by": "#x")").second.size(), 1u);
  EXPECT_EQ(entry_from(R"("incumbent": "v", "claims": {"#x": {"incumbent": "v"}})").second.size(), 1u);
  EXPECT_EQ(entry_from(R"("incumbent": "v", "claims": [])").second.size(), 1u);
}

TEST(Faults, OfGenerationsAreReported) {
  const auto sound = entry_from(R"("generations": {"x": 3})");
  EXPECT_TRUE(sound.second.empty());
  EXPECT_EQ(sound.first.generations.at("x"), 3u);
  for (const char* bad :
       {R"({"x": 0})", R"({"x": -1})", R"({"x": "1"})", R"({"#x": 1})", R"({"x": 1, "x": 2})", "1"})
    EXPECT_EQ(entry_from(R"("generations": )" + std::string(bad)).second.size(), 1u) << bad;
}

TEST(Faults, OfTheTimeOfAFailureAreReported) {
  const auto sound = record_from(R"({"failures": 2, "failed_at": "2026-01-31T08:15:00Z"})");
  EXPECT_TRUE(sound.second.empty());
  EXPECT_EQ(sound.first.failed_at, 1'769'847'300);
  const auto faulty = record_from(R"({"failures": 2, "failed_at": "yesterday"})");
  EXPECT_EQ(faulty.second.size(), 1u);
  EXPECT_EQ(faulty.first.failures, 2u);
  EXPECT_EQ(faulty.first.failed_at, 0);
}

}  // namespace
}  // namespace adaptive::table

// Tests `validate`: it reports every fault of content, and the first fault of syntax.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include <adaptive/error.hpp>

#include "sample_table.hpp"
#include "table/table.hpp"
#include "tests/base/effort.hpp"

namespace adaptive::inline v1::table {
namespace {

// "line:column message" for each fault of syntax, "line#/pointer message" for the others.
std::vector<std::string> faults(const std::string& text) {
  std::vector<std::string> list;
  for (const Notice& notice : validate(text, "t"))
    if (notice.level >= LogLevel::warning) list.push_back(notice.where.substr(1) + " " + notice.what);
  return list;
}

std::string table_with(const std::string& more) {
  return R"({"schema": "adaptive-table", "version": 1, "operations": {)" + more + "}}";
}

using List = std::vector<std::string>;

// A table with one record that has these numbers.
std::string table_with_record(const std::string& numbers) {
  return table_with(R"("op": {"dimensions": [{"name": "m"}], "variants": {"a": {}},
      "entries": [{"key": {"m": 1}, "variants": {"a": {)" +
                    numbers + "}}}]}");
}

TEST(Validate, AValidTableHasNoFaults) {
  EXPECT_EQ(faults(print(sample_table())), List{});
  EXPECT_EQ(faults("\xEF\xBB\xBF" + table_with("")), List{});
}

TEST(Validate, ALocationThatTheResultsCannotHaveIsAFault) {
  for (const char* plausible :
       {R"("count": 1, "mean_ns": 5, "variance_ns2": 0, "location_ns": 5)",
        // The results 1, 1, 1 and 9 have a mean of 3 and a variance of 16, which is the limit of Samuelson's
        // inequality.
        R"("count": 4, "mean_ns": 3, "variance_ns2": 16, "location_ns": 9)",
        R"("count": 4, "mean_ns": 7, "variance_ns2": 16, "location_ns": 1)",
        R"("count": 1000, "mean_ns": 2470, "variance_ns2": 90000, "location_ns": 2400)",
        // Tables of other tools have no variance.
        R"("count": 100, "mean_ns": 5, "variance_ns2": 0, "location_ns": 4.5)",
        R"("count": 100, "mean_ns": 5)"})
    EXPECT_EQ(faults(table_with_record(plausible)), List{}) << plausible;
  for (const char* implausible :
       {R"("count": 1, "mean_ns": 5, "variance_ns2": 0, "location_ns": 6)",
        R"("count": 1, "mean_ns": 5, "variance_ns2": 0, "location_ns": 4)",
        R"("count": 4, "mean_ns": 3, "variance_ns2": 16, "location_ns": 9.1)",
        R"("count": 4, "mean_ns": 7, "variance_ns2": 16, "location_ns": 0.9)",
        R"("count": 40, "mean_ns": 50000, "variance_ns2": 1e6, "location_ns": 1e18)",
        R"("count": 100, "mean_ns": 5, "variance_ns2": 0, "location_ns": 501)"}) {
    const List found = faults(table_with_record(implausible));
    ASSERT_EQ(found.size(), 1U) << implausible;
    EXPECT_NE(found[0].find("/variants/a/location_ns lies outside of what "), std::string::npos) << found[0];
  }
}

TEST(Validate, QuantilesThatTheResultsCannotHaveAreAFault) {
  const std::string record = R"("count": 100, "mean_ns": 5, "recent": )";
  EXPECT_EQ(
      faults(table_with_record(record + R"({"count": 100, "median_ns": 5, "p95_ns": 5.5, "p99_ns": 5.5})")),
      List{});
  for (const char* recent :
       {R"({"count": 101, "median_ns": 5, "p95_ns": 6, "p99_ns": 7})",
        R"({"count": 0, "median_ns": 5, "p95_ns": 6, "p99_ns": 7})",
        R"({"median_ns": 5, "p95_ns": 6, "p99_ns": 7})", R"({"count": 9, "median_ns": 5, "p99_ns": 7})",
        R"({"count": 9, "median_ns": 0, "p95_ns": 6, "p99_ns": 7})",
        R"({"count": 9, "median_ns": 5, "p95_ns": 4, "p99_ns": 7})",
        R"({"count": 9, "median_ns": 5, "p95_ns": 6, "p99_ns": 5})"}) {
    const List found = faults(table_with_record(record + recent));
    ASSERT_EQ(found.size(), 1U) << recent;
    EXPECT_NE(found[0].find("/variants/a/recent must have a count"), std::string::npos) << found[0];
    EXPECT_TRUE(parse(table_with_record(record + recent), "x")
                    .table.operations.at("op")
                    .entries.at(Key{1})
                    .variants.at("a")
                    .recent == RecentLatencies{})
        << recent;
  }
}

TEST(Validate, OneFaultOfSyntaxIsReported) {
  const std::string head = R"({"schema": "adaptive-table", "version": 1, )";
  for (const char* rest : {R"("tool": "a",})",
                           R"("tool" "a"})",
                           R"("tool": })",
                           R"("tool": , "fingerprint": {}})",
                           R"(tool: "a"})",
                           R"("tool": a})",
                           R"("tool": 'a b'})",
                           R"("tool": "\x"})",
                           R"("tool": "a} )",
                           R"(, "tool": "a"})",
                           R"("tool": "a" "fingerprint": {}})",
                           R"("tool": "a"; "fingerprint": {}})",
                           R"("tool": "a"}})",
                           R"("tool": "a"} 1)",
                           R"("tool": "a")",
                           R"(/* so */ "tool": "a"})",
                           "// so \"it, is: {}\n\"tool\": \"a\"}",
                           R"("tool": "a", : 1})",
                           R"("tool": "a", 7})",
                           R"("foreign": [1 2]})",
                           R"("foreign": [})",
                           R"("foreign": ]})",
                           "\"tool\": \"a\n}",
                           "\"tool\": \"\xff\"}",
                           R"("operations": {"o": }})",
                           R"("operations": x})"}) {
    const List found = faults(head + rest);
    std::size_t syntax = 0;
    for (const std::string& fault : found)
      syntax += fault.find("not valid JSON") != std::string::npos ? 1 : 0;
    EXPECT_EQ(syntax, 1u) << rest << testing::PrintToString(found);
  }
}

TEST(Validate, FaultsOfContentBeforeAFaultOfSyntaxAreReported) {
  const std::string operation = R"("o": {"dimensions": [{"name": "m"}], "variants": {"v": {"t": null}},
    "entries": [{"key": {"m": 1}, "incumbent": "w"}, {"key": {"m": 2}, "time": now}, {"key": 1}]})";
  EXPECT_EQ(
      faults(table_with(operation)),
      (List{
          ":1#/operations/o/variants/v/t a parameter must be a number, a truth value or a text, but is null",
          ":2#/operations/o/entries/0/incumbent no variant is named \"w\"; the entry has no incumbent",
          ":2:80 not valid JSON: unexpected 'n'"}));
}

TEST(Validate, TheSchemaMayStandBehindAFaultOfSyntax) {
  EXPECT_EQ(faults(R"({"tool": 'a', "schema": "adaptive-table", "version": 1})"),
            (List{":1:10 not valid JSON: unexpected '\''"}));
}

TEST(Validate, EntriesBeforeTheirDimensionsAreCheckedOnce) {
  EXPECT_EQ(faults(table_with(
                R"("o": {"entries": [{"key": {"m": "x"}}], "dimensions": [{"name": "m"}], "variants": {}})")),
            (List{":1#/operations/o/entries/0/key/m must be a whole number, but is a text"}));
}

// Validation must find a fault in exactly the texts that reading refuses or warns about.
TEST(Validate, AgreesWithReadingOnDamagedTables) {
  const std::string whole = print(sample_table());
  std::mt19937 random(1);
  for (int i = 0; i < test::inputs(3000); ++i) {
    std::string text = whole;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0)
        text.erase(at, 1 + random() % 3);
      else
        text.insert(at, 1, "{}[],:\"\\x1 \n"[random() % 11]);
    }
    bool readable = true;
    std::size_t warnings = 0;
    try {
      for (const Notice& notice : parse(text, "t").notices)
        warnings += notice.level >= LogLevel::warning ? 1 : 0;
    } catch (const Error&) {
      readable = false;
    }
    const List found = faults(text);
    if (readable)
      EXPECT_EQ(found.size(), warnings) << text;
    else
      EXPECT_FALSE(found.empty()) << text;
  }
}

}  // namespace
}  // namespace adaptive::table

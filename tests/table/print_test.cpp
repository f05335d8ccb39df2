#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <limits>
#include <string>

#include <adaptive/error.hpp>

#include "sample_table.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {
namespace {

// A table with one operation that has one size, one variant and one entry.
Table small_table() {
  Table table;
  OperationTable& operation = table.operations["op"];
  operation.name = "op";
  operation.dimensions = {size_dimension("m")};
  operation.variants["a"] = {};
  Entry entry;
  entry.key = Key{1};
  entry.variants["a"] = {1, 1.0, 0.0, 1.0, 0};
  operation.entries[entry.key] = entry;
  return table;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Print, ReadsBackAsItWas) {
  const ReadResult result = parse(print(sample_table()), "sample");
  for (const Notice& notice : result.notices) ADD_FAILURE() << notice.where << ": " << notice.what;
  EXPECT_EQ(result.table, sample_table());
}

TEST(Print, AMappingIsReadBackAsItWas) {
  Table table = sample_table();
  for (const char* mapping : {R"({"a":[1,-2,2.5,1.0,true,false,null,"x"],"b":{}})",
                              R"({"quote \" and \\":"line\u000a","c":[[],{"d":"é"}]})"}) {
    table.operations.begin()->second.mapping = mapping;
    const ReadResult result = parse(print(table), "sample");
    EXPECT_TRUE(result.notices.empty());
    EXPECT_EQ(result.table, table);
  }
  EXPECT_EQ(parse(R"({"schema": "adaptive-table", "version": 2, "tool": "t", "fingerprint": {"device": "x"},
    "operations": {"o": {"dimensions": [{"name": "m"}], "variants": {"a": {}}, "mapping": 3, "entries": []}}})",
                  "t")
                .notices.size(),
            1u);
}

TEST(Print, LeavesOutQuantilesThatNoTableCanHold) {
  const auto has_quantiles_of = [](const RecentLatencies& recent) {
    Table table = small_table();
    table.operations.at("op").entries.at(Key{1}).variants["a"].recent = recent;
    return contains(print(table), "recent");
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(has_quantiles_of({1, 1.0, 1.0, 1.0}));
  EXPECT_FALSE(has_quantiles_of({2, 1.0, 1.0, 1.0})) << "of more results than the record has";
  EXPECT_FALSE(has_quantiles_of({1, 0.0, 1.0, 1.0}));
  EXPECT_FALSE(has_quantiles_of({1, 2.0, 1.0, 2.0}));
  EXPECT_FALSE(has_quantiles_of({1, 1.0, nan, 1.0}));
  EXPECT_FALSE(has_quantiles_of({1, 1.0, 1.0, 1e19}));
}

TEST(Print, WritesAnEmptyTable) {
  const std::string text = print(Table{});
  EXPECT_TRUE(contains(text, "\"operations\": {}\n}\n")) << text;
  EXPECT_EQ(parse(text, "x").table, Table{});
}

TEST(Print, NumbersAreAsShortAsTheyCanBe) {
  const auto mean = [](double value) {
    Table table = small_table();
    table.operations.at("op").entries.at(Key{1}).variants["a"].mean_ns = value;
    const std::string text = print(table);
    const std::size_t begin = text.find("\"mean_ns\": ") + 11;
    return text.substr(begin, text.find(',', begin) - begin);
  };
  EXPECT_EQ(mean(100000), "100000");
  EXPECT_EQ(mean(0.1), "0.1");
  EXPECT_EQ(mean(81240.5), "81240.5");
  EXPECT_EQ(mean(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(mean(1e18), "1e+18");
  EXPECT_EQ(mean(5e-324), "5e-324");
  EXPECT_EQ(mean(123456789012345680.0), "1.2345678901234568e+17");
}

TEST(Print, ANumberStaysANumberAndAWholeNumberStaysWhole) {
  Table table = small_table();
  table.operations.at("op").variants["a"] = {{"whole", 64},
                                             {"number", 64.0},
                                             {"large", 1e300},
                                             {"negative", -0.5},
                                             {"truth", false},
                                             {"text", "64"},
                                             {"least", std::numeric_limits<std::int64_t>::min()},
                                             {"most", std::numeric_limits<std::int64_t>::max()}};
  EXPECT_EQ(parse(print(table), "x").table, table);
  EXPECT_TRUE(contains(print(table), "\"number\": 64.0"));
}

TEST(Print, NamesAreEscaped) {
  Table table = small_table();
  OperationTable& operation = table.operations.at("op");
  const std::string odd =
      "quote \" backslash \\ newline \n tab \t bell \a del \x7f umlaut \xc3\xa4 kanji \xe6\xbc\xa2";
  operation.variants[odd] = {{odd, odd}};
  operation.entries.at(Key{1}).incumbent = odd;
  operation.entries.at(Key{1}).variants[odd] = {};
  table.tool = odd;
  const ReadResult result = parse(print(table), "x");
  EXPECT_TRUE(result.notices.empty());
  EXPECT_EQ(result.table, table);
}

TEST(Print, BytesThatAreNoTextAreReplaced) {
  Table table = small_table();
  table.fingerprint.device = "odd \xff device";
  EXPECT_EQ(parse(print(table), "x").table.fingerprint.device, "odd \xef\xbf\xbd device");
}

TEST(Print, WhatATableCannotHoldIsLeftOut) {
  Table table = small_table();
  const std::string clean = print(table);
  OperationTable& operation = table.operations.at("op");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  operation.variants["a"] = {{"x", nan}, {"y", std::numeric_limits<double>::infinity()}};
  operation.entries[Key{2, 3}] = {};  // two values for one dimension
  operation.entries[Key{-1}] = {};    // no size
  EXPECT_EQ(print(table), clean);
  EXPECT_EQ(unprintable(table).size(), 2U);
  operation.entries.erase(Key{2, 3});
  operation.entries.erase(Key{-1});
  EXPECT_TRUE(unprintable(table).empty());

  for (const Statistics& measured :
       {Statistics{1, nan, 0.0, 1.0, 7}, Statistics{1, -1.0, 0.0, 1.0, 7}, Statistics{0, 1.0, 0.0, 1.0, 7},
        Statistics{1, 1.0, 0.0, std::numeric_limits<double>::infinity(), 7}}) {
    operation.entries.at(Key{1}).variants["a"] = VariantRecord{measured};
    EXPECT_EQ(unprintable(table).size(), measured.count);
    const ReadResult result = parse(print(table), "x");
    EXPECT_TRUE(result.notices.empty());
    EXPECT_EQ(result.table.operations.at("op").entries.at(Key{1}).variants.at("a"),
              VariantRecord{Statistics{.failures = 7}});
  }
}

TEST(Print, LabelsThatDoNotExistAreNotPrinted) {
  Table table = small_table();
  OperationTable& operation = table.operations.at("op");
  operation.dimensions = {label_dimension("l", {"x"}), set_dimension("s", {"p", "q"})};
  operation.entries.clear();
  for (const Key& key : {Key{0, 3}, Key{1, 0}, Key{-1, 0}, Key{0, 4}, Key{0, -1}})
    operation.entries[key].key = key;
  EXPECT_EQ(parse(print(table), "x").table.operations.at("op").entries.size(), 1u);
}

TEST(Print, ANameThatCouldNotBeReadBackIsAnError) {
  Table table = small_table();
  table.operations.at("op").variants[std::string(1025, 'n')] = {};
  EXPECT_THROW(static_cast<void>(print(table)), Error);
  table = small_table();
  table.operations.at("op").dimensions[0].name.clear();
  EXPECT_THROW(static_cast<void>(print(table)), Error);
}

TEST(Print, TheLocaleDoesNotMatter) {
  const std::string text = print(sample_table());
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    EXPECT_EQ(print(sample_table()), text) << name;
    EXPECT_EQ(parse(text, "x").table, sample_table()) << name;
  }
  std::setlocale(LC_ALL, "C");
}

}  // namespace
}  // namespace adaptive::table

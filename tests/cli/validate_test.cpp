#include <nlohmann/json.hpp>

#include "table/table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

class Validate : public ToolTest {
 protected:
  std::string valid_table() const {
    table::Table table;
    table.fingerprint.device = "cpu";
    return write("valid.json", table::print(table));
  }
};

TEST_F(Validate, AcceptsATable) {
  const Outcome outcome = tool({"validate", valid_table()});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("valid"), std::string::npos);
}

TEST_F(Validate, NamesFileAndPlaceOfEveryFault) {
  const std::string broken = write("broken.json", "{\n  \"schema\": 1,\n");
  const Outcome outcome = tool({"validate", broken, valid_table(), path("missing.json")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find(broken + ":"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("valid.json: valid"), std::string::npos);
  EXPECT_NE(outcome.out.find("missing.json"), std::string::npos);
}

TEST_F(Validate, PrintsJson) {
  const Outcome outcome = tool({"validate", "--json", valid_table(), write("empty.json", "")});
  EXPECT_EQ(outcome.code, 1);
  const auto result = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(result.size(), 2U);
  EXPECT_TRUE(result[0]["valid"]);
  EXPECT_FALSE(result[1]["valid"]);
  EXPECT_FALSE(result[1]["faults"].empty());
}

TEST_F(Validate, ListsFaultsOfContentAndTheFirstFaultOfSyntax) {
  const std::string file = write("many.json", R"({
  "schema": "adaptive-table", "version": 1,
  "fingerprint": {"device": "cpu", "driver": 1},
  "operations": {"op": {
    "dimensions": [{"name": "m"}],
    "variants": {"a": {"tile": null}, "b": {}},
    "entries": [
      {"key": {"m": 1}, "incumbent": "z"},
      {"key": {"m": "x"}, "incumbent": "a"},
      {"key" {"m": 2}, "variants": {"a": {"count": tru, "mean_ns": 5}}},
      {"key": {"m": 3}, "variants": {"a": {"count": -1, "mean_ns": 5}}
    ]}}
)");
  const Outcome outcome = tool({"validate", "--json", file});
  EXPECT_EQ(outcome.code, 1);
  std::string places;
  const auto result = nlohmann::json::parse(outcome.out);
  for (const auto& fault : result[0]["faults"])
    places += fault["where"].get<std::string>().substr(file.size() + 1) + " " +
              fault["what"].get<std::string>() + "\n";
  EXPECT_EQ(places, R"(3#/fingerprint/driver must be a text, but is a whole number
6#/operations/op/variants/a/tile a parameter must be a number, a truth value or a text, but is null
8#/operations/op/entries/0/incumbent no variant is named "z"; the entry has no incumbent
9#/operations/op/entries/1/key/m must be a whole number, but is a text
10:14 not valid JSON: expected ':', found '{'
)");
}

TEST_F(Validate, WhatIsNoTableAtAllIsOneOrTwoFaults) {
  for (const std::string& content : {std::string("\x7F"
                                                 "ELF\x02\x01\x01\0\0\0",
                                                 10),
                                     std::string("hello"), std::string("[1, 2]"), std::string("{}"),
                                     std::string(R"({"16": {"BLOCK_SIZE_M": 16,}})")}) {
    const Outcome outcome = tool({"validate", "--json", write("other.json", content)});
    EXPECT_EQ(outcome.code, 1);
    const std::size_t faults = nlohmann::json::parse(outcome.out)[0]["faults"].size();
    EXPECT_TRUE(faults == 1 || faults == 2) << outcome.out;
  }
}

}  // namespace
}  // namespace adaptive::cli

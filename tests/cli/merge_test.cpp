#include <nlohmann/json.hpp>

#include "tests/cli/measured_table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

class Merge : public ToolTest {
 protected:
  std::string table_of(const std::string& writer, std::uint64_t count, int tile = 32) const {
    table::Table table = measured_table("a", {{"a", 100.0}}, writer, count);
    table.operations.at("op").variants["a"] = {{"tile", tile}};
    return write(writer + ".json", table::print(table));
  }
  std::uint64_t count_in(const std::string& file) const {
    return table::read(file).table.operations.at("op").entries.at(Key{8}).variants.at("a").count;
  }
};

TEST_F(Merge, AddsUpEveryWriterOnce) {
  const std::string a = table_of("a", 10), b = table_of("b", 5), out = path("out.json");
  const Outcome outcome = tool({"merge", a, b, a, "-o", out});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(count_in(out), 15u);
  EXPECT_EQ(tool({"merge", out, b, "-o", out}).code, 0);
  EXPECT_EQ(count_in(out), 15u);
}

TEST_F(Merge, OrderMakesNoDifference) {
  const std::string a = table_of("a", 10), b = table_of("b", 5), c = table_of("c", 3);
  EXPECT_EQ(tool({"merge", a, b, c, "-o", path("abc.json")}).code, 0);
  EXPECT_EQ(tool({"merge", c, b, a, "-o", path("cba.json")}).code, 0);
  EXPECT_EQ(read(path("abc.json")), read(path("cba.json")));
}

// Each table alone proves nothing against its incumbent; together they do. The claims stay as they were made.
TEST_F(Merge, SaysWhereTheMeasurementsOverruleTheIncumbent) {
  const std::string slow = write("slow.json", table::print(measured_table("a", {{"a", 1000.0}}, "w1")));
  const std::string fast = write("fast.json", table::print(measured_table("", {{"b", 500.0}}, "w2")));
  const Outcome json = tool({"merge", slow, fast, "-o", path("out.json"), "--json"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["overruled"], 1) << json.out;
  EXPECT_EQ(table::read(path("out.json")).table.operations.at("op").entries.at(Key{8}).incumbent, "a");
  const Outcome text = tool({"merge", slow, fast, "-o", path("out.json")});
  EXPECT_NE(text.out.find("1 entries name an incumbent that their own measurements prove to be slower"),
            std::string::npos)
      << text.out;
}

TEST_F(Merge, ConflictsAreToldAndNothingIsWritten) {
  const std::string a = table_of("a", 10), b = table_of("b", 5, 128), out = path("out.json");
  const Outcome outcome = tool({"merge", a, b, "-o", out});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("op/a"), std::string::npos) << outcome.out;
  EXPECT_FALSE(std::filesystem::exists(out));

  const Outcome json = tool({"merge", a, b, "-o", out, "--first-wins", "--json"});
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_EQ(nlohmann::json::parse(json.out)["conflicts"].size(), 1u);
  EXPECT_EQ(count_in(out), 10u);
}

TEST_F(Merge, WhatIsNoTableIsNamed) {
  const Outcome outcome = tool({"merge", table_of("a", 1), write("no.json", "[]"), "-o", path("out.json")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("no.json"), std::string::npos) << outcome.err;
  EXPECT_EQ(tool({"merge", table_of("a", 1)}).code, 2);
}

}  // namespace
}  // namespace adaptive::cli

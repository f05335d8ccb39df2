#include <nlohmann/json.hpp>

#include "table/comparing/comparison.hpp"
#include "tests/cli/measured_table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

class Diff : public ToolTest {
 protected:
  std::string table(const std::string& name, const std::string& incumbent, double a, double b) const {
    return write(name, table::print(measured_table(incumbent, {{"a", a}, {"b", b}})));
  }
};

TEST_F(Diff, TellsWhatChanged) {
  const Outcome outcome = tool({"diff", table("1.json", "a", 1000, 2000), table("2.json", "b", 1000, 900)});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("m=8: a, now b"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("b: 2.000 us, now 0.900 us: -55.0 %"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("a: 1.000"), std::string::npos) << outcome.out;
}

TEST_F(Diff, FailsWhereAVariantGotSlowerThanTolerated) {
  const std::string before = table("1.json", "b", 3000, 2000), after = table("2.json", "b", 3000, 2120);
  const Outcome outcome = tool({"diff", before, after, "--json"});
  EXPECT_EQ(outcome.code, 1);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["slower"], 1);
  EXPECT_EQ(json["operations"][0]["entries"][0]["variants"][1]["slower"], true);
  EXPECT_EQ(tool({"diff", before, after, "--tolerance", "10"}).code, 0);
  EXPECT_EQ(tool({"diff", before, after, "--tolerance", "0.1"}).code, 1);
  EXPECT_EQ(tool({"diff", after, before}).code, 0);
  EXPECT_EQ(tool({"diff", before, before}).code, 0);
}

TEST_F(Diff, NoiseIsNoRegression) {
  const auto noisy = [&](const std::string& name, double b) {
    table::Table table = measured_table("b", {{"a", 100'000}, {"b", b}});
    table::VariantRecord& record = table.operations.at("op").entries.begin()->second.variants.at("b");
    record = table::record_of("test", {10, b, 0.25 * b * b, b, 0});
    return write(name, table::print(table));
  };
  const std::string before = noisy("1.json", 2000), after = noisy("2.json", 2184);
  const Outcome outcome = tool({"diff", before, after});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_NE(outcome.out.find("+9.2 %"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("within the noise\n"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("SLOWER"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("0 keys slower"), std::string::npos) << outcome.out;
  const auto json = nlohmann::json::parse(tool({"diff", before, after, "--json"}).out);
  EXPECT_EQ(json["slower"], 0);
  EXPECT_EQ(json["slower_within_noise"], 1);
  EXPECT_EQ(json["operations"][0]["entries"][0]["variants"][1]["within_noise"], true);
  EXPECT_EQ(tool({"diff", before, noisy("3.json", 20'000)}).code, 1);
}

TEST_F(Diff, ALoserThatNobodyRunsIsNoRegression) {
  const std::string before = table("1.json", "a", 1000, 2000);
  const Outcome slower = tool({"diff", before, table("2.json", "a", 1000, 2500)});
  EXPECT_EQ(slower.code, 0) << slower.out;
  EXPECT_NE(slower.out.find("slower, but does not run"), std::string::npos) << slower.out;

  table::Table failing = measured_table("a", {{"a", 1000}, {"b", 2000}});
  failing.operations.at("op").entries.begin()->second.variants.at("b") =
      table::record_of("test", {100, 2000, 4.0, 2000, 3});
  EXPECT_EQ(tool({"diff", before, write("3.json", table::print(failing))}).code, 0);
  failing.operations.at("op").entries.begin()->second.variants.at("a") =
      table::record_of("test", {100, 1000, 4.0, 1000, 3});
  EXPECT_EQ(tool({"diff", before, write("4.json", table::print(failing))}).code, 1);
}

TEST_F(Diff, AnotherWinnerIsComparedWithTheOneBefore) {
  const std::string before = table("1.json", "a", 1000, 1500);
  const Outcome slower = tool({"diff", before, table("2.json", "b", 1600, 1500)});
  EXPECT_EQ(slower.code, 1);
  EXPECT_NE(slower.out.find("a, now b: 1.000 us, now 1.500 us: +50.0 %"), std::string::npos) << slower.out;
  EXPECT_EQ(tool({"diff", table("3.json", "b", 1600, 1500), before}).code, 0);
}

TEST_F(Diff, WhatIsPrintedAsNoiseIsNoise) {
  table::Comparison comparison{.change = 0.0712, .noise = 0.0708};
  EXPECT_TRUE(comparison.slower());
  EXPECT_FALSE(comparison.is_regression(0.05)) << "7.1 % with noise of 7.1 %";
  comparison.change = 0.0722;
  EXPECT_TRUE(comparison.is_regression(0.05));
  EXPECT_FALSE(comparison.is_regression(0.1));
}

TEST_F(Diff, RefusesWrongUse) {
  const std::string before = table("1.json", "a", 1000, 2000);
  EXPECT_EQ(tool({"diff", before}).code, 2);
  EXPECT_EQ(tool({"diff", before, path("none.json")}).code, 2);
  EXPECT_EQ(tool({"diff", before, before, "--tolerance", "-1"}).code, 2);
}

}  // namespace
}  // namespace adaptive::cli

// Tests the output of `adaptive show` about incumbents, and of `adaptive tables`.
#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include <adaptive/device.hpp>

#include "tests/cli/measured_table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

using Json = nlohmann::json;

class Show : public ToolTest {
 protected:
  std::string file(const table::Table& table) const { return write("t.json", table::print(table)); }
  static Json first_entry(const Outcome& outcome) {
    return Json::parse(outcome.out)["operations"]["op"]["entries"][0];
  }
};

TEST_F(Show, HasRunnerUpAndConfirmation) {
  const std::string path = file(measured_table("b", {{"a", 1000}, {"b", 800}}));
  const Outcome text = tool({"show", path});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("m=8: b, 0.800 us, 100 results, measured; confirmed; runner-up a, +25.0 %\n"),
            std::string::npos)
      << text.out;
  const Json entry = first_entry(tool({"show", path, "--json"}));
  EXPECT_EQ(entry["confirmed"], true);
  EXPECT_EQ(entry["measured"], 2);
  EXPECT_EQ(entry["runner_up"]["variant"], "a");
  EXPECT_NEAR(entry["runner_up"]["slower_percent"].get<double>(), 25.0, 1e-9);
  EXPECT_TRUE(entry["gain_over_default_percent"].is_null()) << "the table does not say which one it is";
}

// What programs begin with (modes seed and frozen too) is what the tool has to show.
TEST_F(Show, FollowsTheMeasurementsAgainstTheNamedIncumbent) {
  const std::string path = file(measured_table("a", {{"a", 1000}, {"b", 500}}));
  const Outcome text = tool({"show", path, "--default", "a"});
  EXPECT_NE(text.out.find("m=8: b, 0.500 us, 100 results, measured; the table names a, which its own "
                          "measurements prove to be slower; confirmed; runner-up a, +100.0 %"),
            std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("gain over the default a: 50.0 %\n"), std::string::npos) << text.out;
  const Json entry = first_entry(tool({"show", path, "--json"}));
  EXPECT_EQ(entry["incumbent"], "b");
  EXPECT_EQ(entry["overruled"], "a");
  EXPECT_FALSE(first_entry(tool({"show", file(measured_table("b", {{"a", 1000}, {"b", 500}})), "--json"}))
                   .contains("overruled"));
}

TEST_F(Show, HasTheQuantilesOfTheLatestResults) {
  table::Table table = measured_table("b", {{"b", 800}});
  table.operations.at("op").entries.at(Key{8}).variants["b"] =
      table::record_of("test", {100, 800.0, 4.0, 800.0, 0, 0, {100, 800.0, 900.0, 1000.0}});
  const Outcome text = tool({"show", file(table)});
  EXPECT_NE(
      text.out.find("b, 0.800 us, 100 results, of the latest 100 median 0.800, 95 % 0.900, 99 % 1.000 us,"),
      std::string::npos)
      << text.out;
  const Json entry = first_entry(tool({"show", file(table), "--json"}));
  EXPECT_EQ(entry["variants"]["b"]["recent"],
            (Json{{"count", 100}, {"median_ns", 800.0}, {"p95_ns", 900.0}, {"p99_ns", 1000.0}}));
}

TEST_F(Show, HasTheGainOverTheDefault) {
  const std::string path = file(measured_table("b", {{"a", 1000}, {"b", 800}}));
  const Outcome text = tool({"show", path, "--default", "a"});
  EXPECT_NE(text.out.find("; gain over the default a: 20.0 %\n"), std::string::npos) << text.out;
  EXPECT_NEAR(first_entry(tool({"show", path, "--default", "a", "--json"}))["gain_over_default_percent"]
                  .get<double>(),
              20.0, 1e-9);
  EXPECT_NE(tool({"show", path, "--default", "b"}).out.find("; it is the default\n"), std::string::npos);
  const Outcome unknown = tool({"show", path, "--default", "z"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("--default"), std::string::npos) << unknown.err;
}

TEST_F(Show, WithinTheNoiseNothingIsConfirmed) {
  const Outcome close = tool({"show", file(measured_table("b", {{"a", 1002}, {"b", 1000}}, "test", 4))});
  EXPECT_NE(close.out.find("; not confirmed; runner-up a, +0.2 %\n"), std::string::npos) << close.out;
  const Outcome alone = tool({"show", file(measured_table("b", {{"b", 1000}}))});
  EXPECT_NE(alone.out.find("; not confirmed (1 of 2 variants measured)\n"), std::string::npos) << alone.out;
}

TEST_F(Show, NamesTheOperationsThatTheTableHas) {
  const Outcome outcome = tool({"show", file(measured_table("b", {{"b", 800}})), "--op", "conv"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("it has op"), std::string::npos) << outcome.err;
}

class Tables : public ToolTest {};

TEST_F(Tables, ListsThePlacesInTheirOrderWithWhatIsThere) {
  std::filesystem::create_directories(path("first"));
  table::Table table = measured_table("b", {{"b", 800}});
  table.fingerprint = host_device();
  write("first/mine.json", table::print(table));
  ::setenv("ADAPTIVE_TABLES", (path("first") + ":" + path("none")).c_str(), 1);
  const Outcome text = tool({"tables"});
  const Json json = Json::parse(tool({"tables", "--json"}).out);
  const Json other = Json::parse(tool({"tables", "--json", "--device", "NVIDIA H200"}).out);
  ::unsetenv("ADAPTIVE_TABLES");
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("mine.json: measurements of this device\n    op: 2 variants, 1 keys\n"),
            std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find(path("none") + " (ADAPTIVE_TABLES): does not exist"), std::string::npos)
      << text.out;
  EXPECT_EQ(json["places"][0]["tables"][0]["operations"]["op"]["keys"], 1);
  EXPECT_EQ(json["places"][0]["tables"][0]["use"], "exact");
  EXPECT_EQ(json["places"][1]["exists"], false);
  EXPECT_EQ(json["places"][2]["place"], path("data/adaptive/tables"));
  EXPECT_EQ(json["places"][2]["origin"], "your own");
  EXPECT_EQ(other["folder"], "nvidia_h200");
  EXPECT_EQ(other["places"][0]["tables"][0]["use"], "unusable");
}

TEST_F(Tables, ABrokenTableIsSaidWithItsPlace) {
  std::filesystem::create_directories(path("data/adaptive/tables"));
  write("data/adaptive/tables/bad.json", "{\n  \"schema\": ");
  const Outcome outcome = tool({"tables"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("bad.json:2:"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace adaptive::cli

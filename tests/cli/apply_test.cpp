#include <nlohmann/json.hpp>

#include "tests/cli/measured_table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

class Apply : public ToolTest {
 protected:
  std::string old_table() const {
    return write("old.json", table::print(measured_table("a", {{"a", 1000}})));
  }
  std::string faster() const { return write("new.json", table::print(measured_table("b", {{"b", 800}}))); }
  static std::string incumbent(const std::string& file) {
    return table::read(file).table.operations.at("op").entries.at(Key{8}).incumbent;
  }
};

TEST_F(Apply, TakesWhatIsFaster) {
  const std::string old = old_table();
  const Outcome outcome = tool({"apply", faster(), old});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("accepted op m=8: a -> b (20.0 % faster"), std::string::npos) << outcome.out;
  EXPECT_TRUE(outcome.out.ends_with(old + ": 1 of 1 entries accepted, 0 skipped; 1 replaced, on average "
                                          "20.0 % faster; the table was written\n"))
      << outcome.out;
  EXPECT_EQ(incumbent(old), "b");
}

TEST_F(Apply, ADryRunWritesNothing) {
  const std::string old = old_table(), before = read(old);
  const Outcome outcome = tool({"apply", faster(), old, "--dry-run", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["accepted"], 1);
  EXPECT_EQ(json["written"], false);
  EXPECT_EQ(json["entries"][0]["before_ns"], 1000.0);
  EXPECT_EQ(read(old), before);
  const Outcome text = tool({"apply", faster(), old, "--dry-run"});
  EXPECT_TRUE(text.out.ends_with("; dry run, nothing was written\n")) << text.out;
}

TEST_F(Apply, TheSummaryCountsNewEntries) {
  const Outcome outcome = tool({"apply", faster(), path("made.json")});
  EXPECT_TRUE(outcome.out.ends_with(path("made.json") +
                                    ": 1 of 1 entries accepted, 0 skipped; 1 new; the table was written\n"))
      << outcome.out;
}

TEST_F(Apply, WhatIsSkippedLeavesTheFileAlone) {
  const std::string old = old_table(), before = read(old);
  const std::string slower = write("slow.json", table::print(measured_table("b", {{"b", 1100}})));
  const Outcome outcome = tool({"apply", slower, old});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("skipped  op m=8: a -> b (10.0 % slower)"), std::string::npos) << outcome.out;
  EXPECT_EQ(read(old), before);
}

TEST_F(Apply, ARunIsAFolder) {
  std::filesystem::create_directory(path("run"));
  write("run/results.json", table::print(measured_table("b", {{"b", 800}})));
  EXPECT_EQ(tool({"apply", path("run"), path("made.json")}).code, 0);
  EXPECT_EQ(incumbent(path("made.json")), "b");
}

TEST_F(Apply, ABrokenTableIsLeftAlone) {
  const std::string broken = write("broken.json", "{\"schema\": ");
  const Outcome outcome = tool({"apply", faster(), broken});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("broken.json:1:"), std::string::npos) << outcome.err;
  EXPECT_EQ(read(broken), "{\"schema\": ");
}

}  // namespace
}  // namespace adaptive::cli

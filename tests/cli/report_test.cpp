// Tests the page about a tuning run, also in a real browser.
#include <filesystem>
#include <regex>

#include <nlohmann/json.hpp>

#include "tests/cli/browser.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

class Report : public ToolTest {
 protected:
  Report() {
    const Outcome outcome =
        tool({"tune", "mixed_bit_matmul", "--runs", path("runs"), "--run-name", "r", "--quiet", "--repeats",
              "4", "--confirm", "2", "--shape", "tokens=2,out_features=32,in_features=64,bits=4", "--shape",
              "tokens=1,out_features=32,in_features=64,bits=2+4+8"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  std::string page() const { return path("runs/r/report.html"); }
};

TEST_F(Report, IsOnePageThatNeedsNothingElse) {
  const Outcome outcome = tool({"report", path("runs/r")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, page() + "\n");
  const std::string html = read(page());
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
  EXPECT_FALSE(std::regex_search(html, std::regex("(src|href|url)\\s*[=(]|https?://|<script|@import")));
  for (const char* section :
       {"Results", "Latency by variant and shape", "Gain over the default", "Which parameters matter"})
    EXPECT_NE(html.find(section), std::string::npos) << section;
}

TEST_F(Report, ShowsTheSameFiguresAsTheRun) {
  const auto json =
      nlohmann::json::parse(tool({"report", path("runs/r"), "--json", "-o", path("other.html")}).out);
  EXPECT_EQ(json["report"], path("other.html"));
  const Outcome again =
      tool({"tune", "mixed_bit_matmul", "--runs", path("runs"), "--run-name", "r", "--quiet", "--json",
            "--repeats", "4", "--confirm", "2", "--shape", "tokens=2,out_features=32,in_features=64,bits=4",
            "--shape", "tokens=1,out_features=32,in_features=64,bits=2+4+8"});
  EXPECT_EQ(json["shapes"], nlohmann::json::parse(again.out)["shapes"]);
}

TEST_F(Report, RefusesWhatIsNoRun) {
  EXPECT_EQ(tool({"report", path("nothing")}).code, 2);
  EXPECT_EQ(tool({"report"}).code, 2);
  std::filesystem::create_directories(path("odd"));
  write("odd/run_metadata.json", "{}");
  EXPECT_EQ(tool({"report", path("odd")}).code, 2);
}

// In a browser, the three charts are present and drawn, and none of their texts is cut off.
TEST_F(Report, IsDrawnByABrowser) {
  const std::string program = browser();
  if (program.empty()) GTEST_SKIP() << "no chromium here";
  ASSERT_EQ(tool({"report", path("runs/r")}).code, 0);
  const std::string html = read(page());
  const auto seen = seen_by(program, html, path("probe.html"), R"({
      rows: drawn('#results tr'), cells: drawn('#heat-map rect'), winners: drawn('#heat-map circle.best'),
      colours: new Set(all('#heat-map rect').map(r => getComputedStyle(r).fill)).size,
      tips: all('#heat-map rect > title').length, gains: drawn('#gain rect'),
      effects: drawn('#effects rect'), values: drawn('#parameters tr'),
      wide: document.documentElement.scrollWidth - innerWidth, cut: cut.map(t => t.textContent)})");
  if (seen.is_null()) GTEST_SKIP() << program << " does not start here";
  EXPECT_EQ(seen["rows"], 3) << "two shapes below their heading";
  EXPECT_GE(seen["cells"], 6);
  EXPECT_EQ(seen["cells"], seen["tips"]);
  EXPECT_EQ(seen["winners"], 2);
  EXPECT_GE(seen["colours"], 3) << "a map of one colour tells nothing";
  EXPECT_EQ(seen["gains"], 2);
  EXPECT_GE(seen["effects"], 2) << "which parameters matter";
  EXPECT_GT(seen["values"], seen["effects"]) << "each parameter has several values";
  EXPECT_LE(seen["wide"], 0) << "nothing lies beyond the window";
  EXPECT_EQ(seen["cut"], nlohmann::json::array());
}

}  // namespace
}  // namespace adaptive::cli

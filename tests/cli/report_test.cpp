// Tests the page about a tuning run, also in a real browser.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include <nlohmann/json.hpp>

#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  ::pclose(pipe);
  return text;
}

std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    std::string path = output_of(std::string("command -v ") + name + " 2>/dev/null");
    if (!path.empty()) return path.substr(0, path.find('\n'));
  }
  return "";
}

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
  std::string html = read(page());
  const std::string script = R"(<script>
    const all = selector => [...document.querySelectorAll(selector)];
    const drawn = selector => all(selector).filter(e => e.getBoundingClientRect().width > 0).length;
    const cut = all('svg text').filter(t => {
      const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
      return a.width === 0 || a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    });
    document.title = JSON.stringify({
      rows: drawn('#results tr'), cells: drawn('#heat-map rect'), winners: drawn('#heat-map circle.best'),
      colours: new Set(all('#heat-map rect').map(r => getComputedStyle(r).fill)).size,
      tips: all('#heat-map rect > title').length, gains: drawn('#gain rect'),
      effects: drawn('#effects rect'), values: drawn('#parameters tr'),
      wide: document.documentElement.scrollWidth - innerWidth, cut: cut.map(t => t.textContent)});
  </script></body>)";
  html.replace(html.find("</body>"), 7, script);
  const std::string probe = write("probe.html", html);
  const std::string dom =
      output_of(program + " --headless --no-sandbox --disable-gpu --user-data-dir=" + path("profile") +
                " --dump-dom file://" + probe + " 2>/dev/null");
  if (dom.empty()) GTEST_SKIP() << program << " does not start here";
  std::smatch title;
  ASSERT_TRUE(std::regex_search(dom, title, std::regex("<title>([^<]*)</title>"))) << dom.substr(0, 300);
  const auto seen = nlohmann::json::parse(title[1].str());
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

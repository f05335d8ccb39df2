// The page of a tuning run, and what a real browser makes of it.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include <nlohmann/json.hpp>

#include "tests/cli/tool.hpp"

namespace adaptive::cli {
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

// In a browser: the charts are there, and no text of theirs is cut off.
TEST_F(Report, IsDrawnByABrowser) {
  const std::string program = browser();
  if (program.empty()) GTEST_SKIP() << "no chromium here";
  ASSERT_EQ(tool({"report", path("runs/r")}).code, 0);
  std::string html = read(page());
  const std::string script = R"(<script>
    const cut = [...document.querySelectorAll('svg text')].filter(t => {
      const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
      return a.width === 0 || a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    });
    const cells = document.querySelectorAll('#heat-map rect').length, bars = document.querySelectorAll('#gain rect').length;
    document.title = `cells ${cells} bars ${bars} rows ${document.querySelectorAll('#results tr').length} cut ${cut.map(t => t.textContent)}.`;
  </script></body>)";
  html.replace(html.find("</body>"), 7, script);
  const std::string probe = write("probe.html", html);
  const std::string dom =
      output_of(program + " --headless --no-sandbox --disable-gpu --user-data-dir=" + path("profile") +
                " --dump-dom file://" + probe + " 2>/dev/null");
  if (dom.empty()) GTEST_SKIP() << program << " does not start here";
  std::smatch title;
  ASSERT_TRUE(std::regex_search(
      dom, title, std::regex("<title>cells (\\d+) bars (\\d+) rows (\\d+) cut ([^<]*)\\.</title>")))
      << dom.substr(0, 300);
  EXPECT_GE(std::stoi(title[1]), 6);
  EXPECT_EQ(title[2], "2");
  EXPECT_EQ(title[3], "3");
  EXPECT_EQ(title[4], "");
}

}  // namespace
}  // namespace adaptive::cli

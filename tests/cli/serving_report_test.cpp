// The page about a table and audit files, also in a real browser.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/adaptive.hpp>

#include "tests/cli/browser.hpp"
#include "tests/cli/tool.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cli {
namespace {

// A seed table, a run that learns from it, its audit file and its table.
class ServingReportTest : public ToolTest {
 protected:
  ServingReportTest() {
    {
      Selector tuner(test::options());
      test::learn(tuner.define(spec()), {512}, {2e6, 1.5e6});  // nothing of the third
      tuner.save(path("seed.json"));
    }
    SelectorOptions options = test::options();
    options.tables = {.places = {path("seed.json")}};
    options.audit.file = path("audit.jsonl");
    options.clock = [this] { return time_; };
    Selector selector(options);
    Operation& op = selector.define(spec());
    time_ += 3600;
    test::learn(op, {512}, {2e6, 1.5e6, 1e6});
    time_ += 3600;
    test::learn(op, {4096}, {8e6, 4e6, 6e6});
    op.record({17}, 0, Latency(1e3));
    selector.save(path("adapted.json"));
    selector.learn();  // writes the audit file
  }
  static OperationSpec spec() { return test::operation({"plain", "tiled", "wide"}, "gemm"); }
  static const nlohmann::json& row(const nlohmann::json& report, const std::string& key) {
    for (const nlohmann::json& one : report.at("keys"))
      if (one.at("key") == key) return one;
    throw std::runtime_error("no key " + key);
  }
  Outcome report(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "report");
    return tool(arguments);
  }

  std::int64_t time_ = 1'700'000'000;
};

TEST_F(ServingReportTest, ATableShowsTheGainOverDefaultAndSeedAndWhatIsOpen) {
  const Outcome outcome =
      report({path("adapted.json"), "--before", path("seed.json"), "--default", "plain", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["report"], path("adapted.report.html"));
  const auto& learned = row(json, "m=512");
  EXPECT_EQ(learned["before"], "tiled");
  EXPECT_EQ(learned["after"], "wide");
  EXPECT_EQ(learned["open"], "");
  EXPECT_NEAR(row(json, "m=4096")["gain_over_default_percent"].get<double>(), 50.0, 1.0);
  EXPECT_EQ(row(json, "m=4096")["gain_over_before_percent"], nullptr) << "the seed does not know the key";
  EXPECT_NE(row(json, "m=17")["open"], "");
  const std::string html = read(path("adapted.report.html"));
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
  EXPECT_FALSE(std::regex_search(html, std::regex("(src|href|url)\\s*[=(]|https?://|<script|@import")));
  for (const char* part : {"Gain by key", "Before and after", "Still open", "m=17", "gain over the default",
                           "@media print", "prefers-color-scheme: dark"})
    EXPECT_NE(html.find(part), std::string::npos) << part;
  EXPECT_EQ(html.find("Gain over time"), std::string::npos) << "a table does not tell";
}

TEST_F(ServingReportTest, SaysWhichVariantMayStillBeFaster) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  for (int i = 0; i < 20; ++i) op.record({7}, 0, Latency(1e6 + i));
  op.record({7}, 1, Latency(1.2e6));
  op.record({7}, 2, Latency(1.5e6));
  op.record({70000}, 0, Latency(1e6));
  selector.save(path("open.json"));
  const auto json = nlohmann::json::parse(report({path("open.json"), "--json"}).out);
  EXPECT_EQ(row(json, "m=7")["open"], "tiled may be faster: 20.0 % slower by 1 result, not certain");
  EXPECT_EQ(row(json, "m=70000")["open"], "only the incumbent has been measured, of 3 variants");
}

TEST_F(ServingReportTest, AnAuditFileShowsTheGainOverTime) {
  const Outcome outcome = report({path("audit.jsonl"), "--json", "-o", path("page.html")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["changes"].size(), 2u);
  EXPECT_EQ(json["changes"][0]["time"], "2023-11-14T23:13:20Z");
  EXPECT_EQ(json["changes"][0]["from"], "tiled");
  EXPECT_EQ(json["changes"][0]["to"], "wide");
  const double first = row(json, "m=512")["gain_over_before_percent"].get<double>();
  const double second = row(json, "m=4096")["gain_over_before_percent"].get<double>();
  EXPECT_NEAR(first, 33.3, 1.5);
  EXPECT_GT(second, 0.0);
  EXPECT_NEAR(json["changes"][0]["gain_after_percent"].get<double>(), first / 2, 1e-6) << "of two keys";
  EXPECT_NEAR(json["changes"][1]["gain_after_percent"].get<double>(), (first + second) / 2, 1e-6);
  EXPECT_NE(read(path("page.html")).find("Gain over time"), std::string::npos);
}

TEST_F(ServingReportTest, TableAndAuditFilesMakeOnePage) {
  std::filesystem::rename(path("audit.jsonl"), path("audit.jsonl.1"));
  write("audit.jsonl",
        "{\"time\":\"2023-11-15T09:00:00Z\",\"event\":\"start\"}\n{\"time\":\"2023-11-15T09:0");
  const auto json = nlohmann::json::parse(report({path("adapted.json"), path("audit.jsonl"), "--json"}).out);
  EXPECT_EQ(json["changes"].size(), 2u) << "rotated files count, and an unfinished line does not";
  EXPECT_EQ(row(json, "m=512")["before"], "tiled") << "from the audit file";
  EXPECT_EQ(row(json, "m=512")["changes"], 1);
  EXPECT_EQ(json["keys"].size(), 3u);
}

TEST_F(ServingReportTest, AChangeBackIsNoGainAndAnotherRunBeginsAnew) {
  const auto line = [](int minute, const char* event, const char* from, const char* to, double from_ns,
                       double to_ns) {
    return nlohmann::json{{"time", "2026-01-01T00:0" + std::to_string(minute) + ":00Z"},
                          {"event", event},
                          {"operation", "op"},
                          {"key", {{"bits", {"2", "4"}}}},
                          {"from", from},
                          {"to", to},
                          {"from_ns", from_ns},
                          {"to_ns", to_ns}}
               .dump() +
           "\n";
  };
  const std::string file =
      write("a.jsonl", line(1, "promotion", "a", "b", 200, 100) + line(2, "demotion", "b", "a", 250, 200) +
                           line(3, "promotion", "c", "a", 400, 100));
  const auto json = nlohmann::json::parse(report({file, "--json"}).out);
  EXPECT_EQ(json["keys"][0]["key"], "bits=2+4");
  EXPECT_NEAR(json["changes"][0]["gain_after_percent"].get<double>(), 50.0, 1e-9);
  EXPECT_NEAR(json["changes"][1]["gain_after_percent"].get<double>(), 60.0, 1e-9)
      << "a half, and a fifth of it";
  EXPECT_NEAR(json["changes"][2]["gain_after_percent"].get<double>(), 75.0, 1e-9);
  EXPECT_EQ(json["keys"][0]["before"], "c");
}

TEST_F(ServingReportTest, RefusesWhatSaysNothing) {
  EXPECT_EQ(report({path("adapted.json"), path("seed.json")}).code, 2) << "two tables";
  EXPECT_EQ(report({path("nothing.json")}).code, 2);
  EXPECT_EQ(report({write("empty.json", "")}).code, 2);
  EXPECT_EQ(report({write("rubbish", "x")}).code, 2);
  EXPECT_EQ(report({path("adapted.json"), "--before", path("nothing")}).code, 2);
}

TEST_F(ServingReportTest, IsDrawnByABrowser) {
  const std::string program = browser();
  if (program.empty()) GTEST_SKIP() << "no chromium here";
  ASSERT_EQ(
      report({path("adapted.json"), path("audit.jsonl"), "--default", "plain", "-o", path("page.html")}).code,
      0);
  const std::string html = read(path("page.html"));
  const std::string look = R"({
    keys: drawn('#keys tr'), open: drawn('#open tr'), changes: drawn('#changes tr'), bars: drawn('#gain rect'),
    dots: drawn('#time circle'), steps: drawn('#time path'), tips: all('#time title').length,
    page: getComputedStyle(document.body).backgroundColor, text: getComputedStyle(document.querySelector('svg text')).fill,
    wide: document.documentElement.scrollWidth - innerWidth, cut: cut.map(t => t.textContent)})";
  const auto light = seen_by(program, html, path("light.html"), look);
  if (light.is_null()) GTEST_SKIP() << program << " does not start here";
  EXPECT_EQ(light["keys"], 4) << "three keys below their heading";
  EXPECT_GE(light["open"], 2);
  EXPECT_EQ(light["changes"], 3);
  EXPECT_GE(light["bars"], 3);
  EXPECT_EQ(light["dots"], 2);
  EXPECT_EQ(light["steps"], 1);
  EXPECT_LE(light["wide"], 0) << "nothing lies beyond the window";
  EXPECT_EQ(light["cut"], nlohmann::json::array());
  EXPECT_EQ(light["page"], "rgb(255, 255, 255)");
  const auto dark =
      seen_by(program, html, path("dark.html"), look, "--blink-settings=preferredColorScheme=0");
  EXPECT_EQ(dark["page"], "rgb(20, 23, 28)");
  EXPECT_NE(dark["text"], light["text"]);
  const std::string pdf = path("page.pdf");
  output_of(program + " --headless --no-sandbox --disable-gpu --user-data-dir=" + path("print") +
            " --print-to-pdf=" + pdf + " file://" + path("page.html") + " 2>/dev/null");
  EXPECT_TRUE(read(pdf).starts_with("%PDF")) << "it is printed";
}

}  // namespace
}  // namespace adaptive::cli

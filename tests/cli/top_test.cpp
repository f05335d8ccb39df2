// The commands that ask running processes: `top` and `mode`. The process that is asked is this one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/adaptive.hpp>

#include "cli/watch/selectors.hpp"
#include "cli/watch/top_live.hpp"
#include "cli/watch/top_view.hpp"
#include "tests/cli/tool.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cli {
namespace {

Json answer_of_two_keys() {
  return Json::parse(R"({
    "version": 1, "process": 4711, "selector": 1, "name": "NVIDIA H200", "mode": "online", "epoch": 7,
    "tables": ["/data/h200.json"], "all_keys": 2, "took_ms": 20.0,
    "operations": [{"name": "gemm", "variants": 12, "keys": 2, "confirmed_keys": 1, "calls": 1234567,
                    "time_s": 1500.0, "saved_s": 301.0, "lost_s": 0.0125, "promotions": 1, "demotions": 0,
                    "failures": 0}],
    "keys": [{"operation": "gemm", "key": "m=512", "share": 0.9, "calls": 1200000, "time_s": 1350.0,
              "saved_s": 300.0, "lost_s": 0.01, "incumbent": "tiled", "incumbent_ns": 1125000.0,
              "default_ns": 1375000.0, "leader": "tiled", "confirmed": true, "confidence": 1.0, "changed_epoch": 7},
             {"operation": "gemm", "key": "m=17", "share": 0.1, "calls": 34567, "time_s": 150.0,
              "saved_s": 1.0, "lost_s": 0.0025, "incumbent": "plain", "incumbent_ns": null,
              "default_ns": null, "leader": "wide", "confirmed": false, "confidence": 0.99961, "changed_epoch": 0}],
    "changes": [{"time": "2026-11-30T03:12:45Z", "event": "promotion", "operation": "gemm",
                 "key": {"m": 512, "bits": ["2", "4"]}, "from": "plain", "to": "tiled",
                 "why": "tiled is surely faster"},
                {"time": "2026-11-30T03:10:00Z", "event": "mode", "from": "observe", "to": "online",
                 "by_process": 99}]})");
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string shown(const std::vector<Json>& answers, const std::vector<Json>& before = {}) {
  return joined(top_lines(answers, top_rows(answers, "time", 20), before, 2.0, {}));
}

TEST(TopView, IsATableOfSelectorsOperationsKeysAndChanges) {
  Json before = answer_of_two_keys();
  before["operations"][0]["calls"] = 1'234'067;
  EXPECT_EQ(shown({answer_of_two_keys()}, {before}),
            R"(PROCESS  SELECTOR     MODE    EPOCH  KEYS  TABLE
4711.1   NVIDIA H200  online      7     2  /data/h200.json

PROCESS  OPERATION  VARIANTS  KEYS  CONFIRMED  CALLS  CALLS/S    TIME  SAVED     LOST  PROMOTED  DEMOTED  FAILED
4711.1   gemm             12     2          1  1.23M      250  1500 s  301 s  12.5 ms         1        0       0

 SHARE  PROCESS  OPERATION  KEY    INCUMBENT  LATENCY  DEFAULT  LEADER  CONFIDENCE  CALLS  SAVED    LOST
90.0 %  4711.1   gemm       m=512  tiled      1.12 ms  1.38 ms  =        confirmed   1.2M  300 s   10 ms
10.0 %  4711.1   gemm       m=17   plain            -        -  wide        99.9 %  34.6k  1.0 s  2.5 ms

TIME                  PROCESS  LATEST CHANGES
2026-11-30T03:12:45Z  4711.1   gemm m=512 bits=["2","4"]: promotion, tiled is surely faster
2026-11-30T03:10:00Z  4711.1   mode online, was observe, by process 99
)");
}

TEST(TopView, KeysOfAllProcessesAreInOneOrder) {
  Json other = answer_of_two_keys();
  other["process"] = 5000;
  other["keys"][0]["time_s"] = 200.0;
  other["keys"][1]["lost_s"] = 9.0;
  const std::vector<Json> answers = {answer_of_two_keys(), other};
  const auto order = [&](const std::string& sort, std::size_t limit) {
    std::string text;
    for (const TopRow& row : top_rows(answers, sort, limit))
      text += std::to_string((*row.status)["process"].get<int>()) + " " +
              (*row.key)["key"].get<std::string>() + ", ";
    return text;
  };
  EXPECT_EQ(order("time", 3), "4711 m=512, 5000 m=512, 4711 m=17, ");
  EXPECT_EQ(order("lost", 1), "5000 m=17, ");
}

TEST(TopView, AnswersMayLackAnythingAndTerminalsAreSafe) {
  EXPECT_EQ(shown({}), "PROCESS  SELECTOR  MODE  EPOCH  KEYS  TABLE\n");
  EXPECT_NO_THROW(
      shown({Json::object(), Json::parse(R"({"keys": [{}], "operations": 3, "changes": [{}]})")}));
  const Json stopped =
      Json::parse(R"({"process": 1, "selector": 2, "error": {"code": "failed", "what": "does not answer"}})");
  EXPECT_NE(shown({stopped}).find("1.2      does not answer"), std::string::npos);
  Json evil = answer_of_two_keys();
  evil["name"] = "\033[2Jx";
  EXPECT_NE(shown({evil}).find("?[2Jx"), std::string::npos);
  EXPECT_EQ(fitted("µµµ", 2), "µµ");
  EXPECT_EQ(fitted("µ", 3), "µ  ");
}

TEST(TopLive, TheKeyboardSortsFiltersSelectsAndQuits) {
  const std::vector<Json> answers = {answer_of_two_keys()};
  const std::vector<TopRow> rows = top_rows(answers, "time", 20);
  TopState state;
  EXPECT_TRUE(type_at_top(state, "s", rows));
  EXPECT_EQ(state.sort, "calls");
  EXPECT_TRUE(type_at_top(state, "ssss", rows) || state.sort == "time");
  EXPECT_EQ(state.sort, "time");
  EXPECT_FALSE(type_at_top(state, "j", rows));
  EXPECT_EQ(state.selected, 1u);
  type_at_top(state, "\033[B", rows);
  EXPECT_EQ(state.selected, 1u) << "the last row";
  type_at_top(state, "\033[A", rows);
  EXPECT_EQ(state.selected, 0u);
  EXPECT_TRUE(type_at_top(state, "/m=17q\x7F", rows));
  EXPECT_EQ(state.filter, "m=17");
  EXPECT_FALSE(state.is_over) << "q belonged to the filter";
  EXPECT_FALSE(type_at_top(state, "\n", rows));
  EXPECT_FALSE(state.is_typing);
  type_at_top(state, "\n", rows);
  EXPECT_TRUE(state.explains);
  type_at_top(state, "q", rows);
  EXPECT_FALSE(state.explains);
  EXPECT_FALSE(state.is_over);
  EXPECT_TRUE(type_at_top(state, "/\033", rows));
  EXPECT_EQ(state.filter, "");
  type_at_top(state, "q", rows);
  EXPECT_TRUE(state.is_over);
}

TEST(TopLive, AsksMoreSeldomWhereAnswersTakeLong) {
  using std::chrono::milliseconds;
  Json slow = answer_of_two_keys();
  EXPECT_EQ(top_interval(milliseconds(2000), {}), milliseconds(2000));
  slow["took_ms"] = 5.0;
  EXPECT_EQ(top_interval(milliseconds(2000), {slow}), milliseconds(2000)) << "0.25 % of a core";
  slow["took_ms"] = 50.0;
  EXPECT_EQ(top_interval(milliseconds(2000), {slow, answer_of_two_keys()}), milliseconds(10'000)) << "0.5 %";
  slow["took_ms"] = 1e300;
  EXPECT_EQ(top_interval(milliseconds(2000), {slow}), std::chrono::hours(24));
}

class RunningProcess : public ToolTest {
 protected:
  RunningProcess() {
    SelectorOptions options = test::options();
    options.socket = {.listen = true, .folder = path("sockets")};
    selector_.emplace(options);
    Operation& op = selector_->define(test::operation({"plain", "tiled"}, "gemm"));
    test::learn(op, {512}, {2e6, 1e6});
    test::launch(op, {512}, {2e6, 1e6}, 50);
    test::launch(op, {17}, {1e6, 1e6}, 3);
  }
  Outcome top(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"top", "--folder", path("sockets")});
    return tool(arguments);
  }
  Outcome mode(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"mode", "--folder", path("sockets")});
    return tool(arguments);
  }
  static std::string self() { return std::to_string(::getpid()); }

  std::optional<Selector> selector_;
};

TEST_F(RunningProcess, IsShownAsTextAndAsJson) {
  const Outcome text = top({"--once"});
  EXPECT_EQ(text.code, 0) << text.err;
  for (const char* part :
       {"Test Device 1", "gemm", "m=512", "tiled", "confirmed", "promotion, tiled is surely faster"})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << "\n" << text.out;
  EXPECT_EQ(top({}).out, text.out) << "without a terminal";
  const auto json = nlohmann::json::parse(top({"--json", "--filter", "m=512"}).out);
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["process"], ::getpid());
  ASSERT_EQ(json[0]["keys"].size(), 1u);
  EXPECT_EQ(json[0]["keys"][0]["incumbent"], "tiled");
  EXPECT_EQ(nlohmann::json::parse(top({"--json", "--op", "conv"}).out).size(), 0u);
  EXPECT_EQ(
      nlohmann::json::parse(top({"--json", "--limit", "1", "--sort", "calls", self()}).out)[0]["keys"].size(),
      1u);
  EXPECT_EQ(nlohmann::json::parse(top({"--json", self() + ".2"}).out).size(), 0u);
  EXPECT_EQ(top({"--sort", "colour"}).code, 2);
  EXPECT_EQ(top({"x"}).code, 2);
  EXPECT_EQ(top({self() + ".0"}).code, 2);
}

TEST_F(RunningProcess, ExplainsAKey) {
  const Outcome text = top({"--explain", "gemm m=512"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(text.out, self() + ".1 " + selector_->find("gemm")->explain({512}).text());
  EXPECT_EQ(nlohmann::json::parse(top({"--explain", "gemm m=512", "--json"}).out)[0]["incumbent"], "tiled");
  const Outcome unknown = top({"--explain", "gemm m=513"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("gemm has no key \"m=513\" with a state"), std::string::npos) << unknown.err;
  EXPECT_EQ(top({"--explain", "gemm"}).code, 2);
}

TEST_F(RunningProcess, ObeysTheKillSwitch) {
  EXPECT_EQ(mode({self()}).out, self() + ".1: online\n");
  EXPECT_EQ(mode({self(), "off"}).out, self() + ".1: off, was online\n");
  EXPECT_EQ(selector_->mode(), Mode::off);
  const auto json = nlohmann::json::parse(mode({self() + ".1", "observe", "--json"}).out);
  EXPECT_EQ(json, nlohmann::json::parse(R"([{"process": )" + self() +
                                        R"(, "selector": 1, "mode": "observe", "former": "off"}])"));
  EXPECT_EQ(mode({self(), "fast"}).code, 2);
  EXPECT_EQ(mode({}).code, 2);
  selector_.reset();
  const Outcome gone = mode({self(), "off"});
  EXPECT_EQ(gone.code, 2);
  EXPECT_NE(gone.err.find("has no selector that listens"), std::string::npos);
}

TEST_F(RunningProcess, NobodyListensIsNoError) {
  selector_.reset();
  const Outcome text = top({"--once"});
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.err.find("no process listens"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(top({"--json"}).out), nlohmann::json::array());
}

}  // namespace
}  // namespace adaptive::cli

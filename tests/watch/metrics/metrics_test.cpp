// Metrics of a selector: names, values, and the text file.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/adaptive.hpp>
#include <adaptive/metrics.hpp>
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

using metrics::collect;
using metrics::Family;

const std::vector<std::string> names = {
    "adaptive_confirmed_keys",
    "adaptive_demotions_total",
    "adaptive_dropped_total",
    "adaptive_epoch",
    "adaptive_explored_total",
    "adaptive_failures_total",
    "adaptive_info",
    "adaptive_keys",
    "adaptive_lost_seconds_total",
    "adaptive_promotions_total",
    "adaptive_results_total",
    "adaptive_saved_seconds_total",
    "adaptive_stale_graphs",
    "adaptive_timed_seconds_total",
};

class Metrics : public testing::Test {
 protected:
  Metrics() {
    SelectorOptions options = test::options();
    options.log = log_.callback();
    selector_ = std::make_unique<Selector>(options);
    op_ = &selector_->define(test::operation({"a", "b"}));
    selector_->define(test::operation({"c"}, "other"));
  }

  // The values of a family by their labels, as Prometheus prints them.
  static std::map<std::string, double> values(const std::vector<Family>& families, const std::string& name) {
    std::map<std::string, double> found;
    for (const Family& family : families)
      if (family.name == name)
        for (const metrics::Sample& sample : family.samples) {
          std::string labels;
          for (const auto& [label, value] : sample.labels)
            labels += (labels.empty() ? "" : ",") + label + "=" + value;
          EXPECT_TRUE(found.emplace(labels, sample.value).second) << name << " has two samples of " << labels;
        }
    return found;
  }
  std::map<std::string, double> values(const std::string& name) const {
    return values(collect(*selector_), name);
  }

  const test::ScratchFolder folder_{test::memory_folder()};
  test::Log log_;
  std::unique_ptr<Selector> selector_;
  Operation* op_ = nullptr;
};

TEST_F(Metrics, HaveTheNamesThatTheDocumentationPromises) {
  std::vector<std::string> found;
  for (const Family& family : collect(*selector_, {.stale_graphs = [] { return std::uint64_t{3}; }}))
    found.push_back(family.name);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, names);
}

TEST_F(Metrics, CountWhatHappened) {
  test::learn(*op_, {64}, {2e6, 1e6});  // 40 results
  op_->record(Key{64}, 0, Latency(-1.0));
  op_->record(Key{64}, 7, Latency(1e6));  // there is no such variant
  op_->fail(op_->pin({64}).decision());
  const auto all = collect(*selector_);
  using Values = std::map<std::string, double>;
  EXPECT_EQ(values(all, "adaptive_promotions_total"), (Values{{"operation=op", 1}, {"operation=other", 0}}));
  EXPECT_EQ(values(all, "adaptive_results_total"), (Values{{"operation=op", 40}, {"operation=other", 0}}));
  EXPECT_EQ(values(all, "adaptive_failures_total"), (Values{{"operation=op", 1}, {"operation=other", 0}}));
  EXPECT_EQ(values(all, "adaptive_dropped_total"), (Values{{"reason=invalid", 1},
                                                           {"reason=duplicate", 0},
                                                           {"reason=expired", 0},
                                                           {"reason=lost", 0},
                                                           {"reason=not_stored", 1}}));
  EXPECT_EQ(values(all, "adaptive_keys").at("operation=op,match=default"), 1);
  EXPECT_EQ(values(all, "adaptive_keys").size(), 8u);
  EXPECT_EQ(values(all, "adaptive_epoch").at(""), 2);  // a promotion, and a failure
  EXPECT_NEAR(values(all, "adaptive_timed_seconds_total").at(""), 20 * 3e-3, 1e-3);
  EXPECT_TRUE(values(all, "adaptive_stale_graphs").empty());
}

TEST_F(Metrics, CountConfirmedKeysAndWhatTheySaved) {
  EXPECT_EQ(values("adaptive_confirmed_keys").at(""), 0);
  test::learn(*op_, {64}, {2e6, 1e6});
  test::launch(*op_, {64}, {2e6, 1e6}, 500);
  EXPECT_EQ(values("adaptive_confirmed_keys").at(""), 1);
  const double saved = values("adaptive_saved_seconds_total").at("");
  EXPECT_NEAR(saved, op_->account().saved_ns * 1e-9, 1e-12);
  EXPECT_GT(saved, 0.4 * 500 * 1e-3);
  EXPECT_NEAR(values("adaptive_lost_seconds_total").at(""), op_->account().lost_exploring_ns * 1e-9, 1e-12);
}

TEST_F(Metrics, KeepTheirCountAfterAReset) {
  test::learn(*op_, {64}, {2e6, 1e6});
  op_->reset();
  EXPECT_EQ(values("adaptive_results_total").at("operation=op"), 40);
  EXPECT_EQ(values("adaptive_timed_seconds_total").at(""), 0) << "begins again, as counters may";
}

TEST_F(Metrics, SayModeTableAndVersion) {
  test::learn(*op_, {64}, {2e6, 1e6});
  const std::filesystem::path path = folder_ / "table.json";
  selector_->save(path);
  EXPECT_EQ(values("adaptive_info").begin()->first,
            std::string("mode=online,table=,version=") + library_version);
  selector_->load(path);
  selector_->set_mode(Mode::frozen);
  const auto info = values("adaptive_info");
  ASSERT_EQ(info.size(), 1u);
  EXPECT_EQ(info.begin()->first, "mode=frozen,table=" + path.string() + ",version=" + library_version);
  EXPECT_EQ(info.begin()->second, 1);
}

TEST_F(Metrics, HaveNoLabelForKeysAndVariants) {
  for (int m = 1; m <= 50; ++m) test::learn(*op_, {m * 1000}, {2e6, 1e6});
  const std::set<std::string> allowed = {"operation", "reason", "match", "mode", "table", "version"};
  std::size_t samples = 0;
  for (const Family& family : collect(*selector_))
    for (const metrics::Sample& sample : family.samples) {
      ++samples;
      for (const auto& [label, value] : sample.labels) EXPECT_TRUE(allowed.contains(label)) << label;
    }
  EXPECT_LT(samples, 50u);
}

TEST_F(Metrics, HaveTheLabelsOfTheProgram) {
  for (const Family& family : collect(*selector_, {.labels = {{"device", "1"}}}))
    for (const metrics::Sample& sample : family.samples) {
      ASSERT_FALSE(sample.labels.empty());
      EXPECT_EQ(sample.labels.back(), (std::pair<std::string, std::string>{"device", "1"}));
    }
}

TEST_F(Metrics, ArePrintedAsPrometheusReadsThem) {
  const std::vector<Family> families = {
      {.name = "a_total", .help = "back\\slash\nline \"quoted\"", .samples = {{{}, 0.25}, {{}, 12345678}}},
      {.name = "b",
       .help = "",
       .type = metrics::MetricType::gauge,
       .samples = {{{{"x", "1"}, {"path", "C:\\\"x\"\n"}}, -1e-9}}}};
  EXPECT_EQ(metrics::text(families),
            "# HELP a_total back\\\\slash\\nline \"quoted\"\n"
            "# TYPE a_total counter\n"
            "a_total 0.25\n"
            "a_total 12345678\n"
            "# HELP b \n"
            "# TYPE b gauge\n"
            "b{x=\"1\",path=\"C:\\\\\\\"x\\\"\\n\"} -1e-09\n");
}

TEST_F(Metrics, AreWrittenToAFileWhichIsReplaced) {
  const std::filesystem::path path = folder_ / "adaptive.prom";
  {
    metrics::TextFile file(*selector_, {.path = path, .interval = std::chrono::hours(1)});
    test::learn(*op_, {64}, {2e6, 1e6});
    file.write();
    EXPECT_NE(folder_.read("adaptive.prom").find("adaptive_results_total{operation=\"op\"} 40\n"),
              std::string::npos);
    test::learn(*op_, {64}, {2e6, 1e6});
  }
  EXPECT_NE(folder_.read("adaptive.prom").find("adaptive_results_total{operation=\"op\"} 80\n"),
            std::string::npos);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1)
      << "no temporary file is left";
}

TEST_F(Metrics, AFileThatCannotBeWrittenIsReportedOnce) {
  test::Log log;
  const std::filesystem::path path = folder_ / "missing" / "adaptive.prom";
  {
    metrics::TextFile file(*selector_,
                           {.path = path, .interval = std::chrono::hours(1), .log = log.callback()});
    EXPECT_THROW(file.write(), Error);
  }
  EXPECT_EQ(log.count("adaptive.prom"), 1u) << log.text();
  EXPECT_THROW(metrics::TextFile(*selector_, {}), Error);
  EXPECT_THROW(metrics::TextFile(*selector_, {.path = path, .interval = std::chrono::milliseconds(0)}),
               Error);
}

// The metrics of a query of the dashboard.
std::set<std::string> metrics_of(const std::string& query) {
  std::set<std::string> found;
  const std::regex name("adaptive_[a-z_]+");
  for (std::sregex_iterator at(query.begin(), query.end(), name), end; at != end; ++at)
    found.insert(at->str());
  return found;
}

// The labels that a query of the dashboard selects or groups by, and those that its legend shows.
std::set<std::string> labels_of(const std::string& query, const std::string& legend) {
  std::set<std::string> found;
  const auto add = [&](const std::string& text, const char* pattern) {
    const std::regex label(pattern);
    for (std::sregex_iterator at(text.begin(), text.end(), label), end; at != end; ++at)
      found.insert((*at)[1].str());
  };
  add(query, "([a-z_]+)=~?\"");
  add(query, "by \\(([a-z_]+)\\)");
  add(legend, "\\{\\{([a-z_]+)\\}\\}");
  return found;
}

TEST_F(Metrics, TheDashboardShowsWhatThereIs) {
  std::ifstream file(ADAPTIVE_DASHBOARD);
  const nlohmann::json dashboard = nlohmann::json::parse(file);
  std::map<std::string, std::set<std::string>> labels;  // by metric; Prometheus adds two to each
  for (const Family& family : collect(*selector_, {.stale_graphs = [] { return std::uint64_t{3}; }})) {
    labels[family.name] = {"job", "instance"};
    for (const auto& [label, value] : family.samples.at(0).labels) labels[family.name].insert(label);
  }
  std::set<std::string> shown;
  std::set<int> ids;
  for (const nlohmann::json& panel : dashboard.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second);
    for (const nlohmann::json& target : panel.at("targets")) {
      const auto query = target.at("expr").get<std::string>();
      for (const std::string& metric : metrics_of(query)) {
        shown.insert(metric);
        for (const std::string& label : labels_of(query, target.at("legendFormat").get<std::string>()))
          EXPECT_TRUE(labels[metric].contains(label)) << metric << " has no label " << label << ": " << query;
      }
    }
  }
  EXPECT_EQ(std::vector<std::string>(shown.begin(), shown.end()), names);
  for (const nlohmann::json& variable : dashboard.at("templating").at("list")) {
    if (variable.at("type") != "query") continue;
    const auto query = variable.at("query").at("query").get<std::string>();
    for (const std::string& metric : metrics_of(query)) EXPECT_TRUE(labels.contains(metric)) << query;
  }
}

}  // namespace
}  // namespace adaptive

// What a selector passes on of its changes: to the program, and to a file that answers later what changed
// when, and why.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "tests/selector/environment_variable.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"
#include "tests/watch/audit_lines.hpp"

namespace adaptive {
namespace {

using test::events_of;

class Audit : public testing::Test {
 protected:
  SelectorOptions options() {
    SelectorOptions options = test::options();
    options.clock = [this] { return time_; };
    options.log = log_.callback();
    options.audit.file = path_;
    return options;
  }

  static OperationSpec spec() {
    OperationSpec spec;
    spec.name = "op";
    spec.dimensions = {size_dimension("m"), label_dimension("type", {"half", "single"}),
                       set_dimension("bits", {"2", "4", "8"})};
    spec.variants = {{.name = "plain", .numeric_class = "x"}, {.name = "tiled", .numeric_class = "x"}};
    return spec;
  }

  const test::ScratchFolder folder_{test::memory_folder()};
  const std::filesystem::path path_ = folder_ / "audit.jsonl";
  std::int64_t time_ = 1'700'000'000;
  test::Log log_;
};

const Key key{512, 1, 5};

TEST_F(Audit, TellsAfterARestartWhatChangedWhenAndWhy) {
  {
    Selector selector(options());
    Operation& op = selector.define(spec());
    time_ += 60;
    test::learn(op, key, {2e6, 1e6});
  }
  ASSERT_EQ(events_of(path_, "promotion").size(), 1u);
  const nlohmann::json line = events_of(path_, "promotion").front();
  EXPECT_EQ(line.at("time"), "2023-11-14T22:14:20Z");
  EXPECT_EQ(line.at("operation"), "op");
  EXPECT_EQ(line.at("key"), nlohmann::json::parse(R"({"m": 512, "type": "single", "bits": ["2", "8"]})"));
  EXPECT_EQ(line.at("from"), "plain");
  EXPECT_EQ(line.at("to"), "tiled");
  EXPECT_NE(line.at("why").get<std::string>().find("tiled is surely faster"), std::string::npos);
  EXPECT_NEAR(line.at("from_ns").get<double>(), 2e6, 5e4);
  EXPECT_NEAR(line.at("to_ns").get<double>(), 1e6, 2e4);
  EXPECT_GT(line.at("to_results").get<int>(), 1);
  EXPECT_NEAR(line.at("gain").get<double>(), 0.5, 0.02);
  EXPECT_EQ(line.at("epoch"), 1);
  EXPECT_GT(line.at("process").get<int>(), 0);

  { const Selector next_run(options()); }
  const auto starts = events_of(path_, "start");
  ASSERT_EQ(starts.size(), 2u);
  EXPECT_EQ(starts.front().at("mode"), "online");
  EXPECT_EQ(starts.front().at("device"), "Test Device 1");
  EXPECT_EQ(starts.front().at("version"), library_version);
}

TEST_F(Audit, TellsFailuresAndWhatTheProgramDid) {
  {
    Selector selector(options());
    Operation& op = selector.define(spec());
    test::learn(op, key, {2e6, 1e6});
    op.enable("tiled", false);
    op.enable("tiled", true);
    test::learn(op, key, {2e6, 1e6}, 2);
    op.fail(op.pin(key).decision());
    selector.set_mode(Mode::off);
    selector.set_mode(Mode::off);
    selector.set_mode(Mode::online);
  }
  std::vector<std::string> told;
  for (const nlohmann::json& line : events_of(path_))
    told.push_back(line.at("event").get<std::string>() + ": " + line.value("why", line.value("to", "")));
  ASSERT_EQ(told.size(), 7u);
  EXPECT_EQ(told[2], "demotion: the program has disabled tiled");
  EXPECT_EQ(told[3].substr(0, 9), "promotion");
  EXPECT_EQ(told[4], "failure: tiled failed and was set aside");
  EXPECT_EQ(told[5], "mode: off");
  EXPECT_EQ(told[6], "mode: online");
}

TEST_F(Audit, TellsTheEpochsOfRanks) {
  const std::filesystem::path table = folder_ / (std::string(150, 'x') + ".json");
  {
    Selector tuner(test::options());
    test::learn(tuner.define(spec()), key, {2e6, 1e6});
    tuner.save(table);
  }
  {
    SelectorOptions ranks = options();
    ranks.rank_consistent = true;
    Selector selector(ranks);
    selector.define(spec());
    selector.advance_epoch(table);
  }
  ASSERT_EQ(events_of(path_, "tables").size(), 1u);
  const nlohmann::json line = events_of(path_, "tables").front();
  EXPECT_EQ(line.at("epoch"), 1);
  const auto text = line.at("table").get<std::string>();
  EXPECT_EQ(text.size(), 127u) << "the end of a long path";
  EXPECT_TRUE(table.string().ends_with(text));
}

TEST_F(Audit, TheProgramGetsEveryChangeInOrder) {
  std::vector<Change> changes;
  SelectorOptions with_callback = options();
  with_callback.audit = {};
  with_callback.on_change = [&](const Change& change) { changes.push_back(change); };
  Selector selector(with_callback);
  Operation& op = selector.define(spec());
  test::learn(op, key, {2e6, 1e6});
  EXPECT_TRUE(changes.empty()) << "a launch does not run the program's function";
  selector.learn();
  op.fail(op.pin(key).decision());
  selector.learn();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].kind, EventKind::promotion);
  EXPECT_EQ(changes[0].key, "m=512 type=single bits=2+8");
  EXPECT_EQ(changes[0].time, time_);
  EXPECT_EQ(changes[1].kind, EventKind::failure);
  EXPECT_EQ(changes[1].from, "tiled");
  EXPECT_EQ(changes[1].epoch, 2u);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Audit, ACallbackThatThrowsLosesNothingElse) {
  SelectorOptions throws = options();
  throws.on_change = [](const Change&) { throw 7; };
  {
    Selector selector(throws);
    test::learn(selector.define(spec()), key, {2e6, 1e6});
  }
  EXPECT_EQ(events_of(path_, "promotion").size(), 1u);
}

TEST_F(Audit, TheEnvironmentNamesTheFileIfTheProgramDoesNot) {
  const test::EnvironmentVariable variable("ADAPTIVE_AUDIT", (folder_ / "other.jsonl").string());
  SelectorOptions named = options();
  named.use_environment = true;
  Selector{named};
  EXPECT_FALSE(std::filesystem::exists(folder_ / "other.jsonl"));
  named.audit.file.clear();
  Selector{named};
  EXPECT_EQ(events_of(folder_ / "other.jsonl", "start").size(), 1u);
  named.use_environment = false;
  Selector{named};
  EXPECT_EQ(events_of(folder_ / "other.jsonl", "start").size(), 1u);
}

TEST_F(Audit, CountsWhatItDrops) {
  {
    Selector selector(options());
    for (int i = 0; i < 600; ++i) {
      selector.set_mode(Mode::off);
      selector.set_mode(Mode::online);
    }
  }
  EXPECT_EQ(events_of(path_, "mode").size(), 1023u);
  ASSERT_EQ(events_of(path_, "dropped").size(), 1u);
  EXPECT_EQ(events_of(path_, "dropped").front().at("count"), 177);
}

TEST_F(Audit, AFileThatCannotBeWrittenIsReportedOnceAndTriedAgain) {
  SelectorOptions missing = options();
  missing.audit.file = folder_ / "folder" / "audit.jsonl";
  {
    Selector selector(missing);
    selector.learn();
    selector.set_mode(Mode::off);
    selector.learn();
    EXPECT_EQ(log_.count("the audit file", LogLevel::warning), 1u) << log_.text();
    std::filesystem::create_directory(folder_ / "folder");
  }
  EXPECT_EQ(events_of(missing.audit.file).size(), 2u) << "nothing is lost meanwhile";
}

TEST_F(Audit, ChecksItsOptions) {
  SelectorOptions small = options();
  small.audit.bytes_max = 4095;
  EXPECT_THROW(Selector{small}, Error);
  small.audit = {.file = path_, .files_max = 1001};
  EXPECT_THROW(Selector{small}, Error);
}

TEST_F(Audit, PassesOnOrCountsEveryChangeOfSeveralThreads) {
  constexpr int threads_count = 3;
  constexpr int keys_count = 40;
  std::atomic<int> told{0};
  {
    SelectorOptions background = options();
    background.background = true;
    background.on_change = [&](const Change&) { ++told; };
    Selector selector(background);
    OperationSpec alone = spec();
    alone.nearest_limit = -1.0;  // every key begins with the default
    Operation& op = selector.define(alone);
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < keys_count; ++i) {
          const Key own{t * keys_count + i + 1, 0, 1};
          op.fail(op.site(own).pin().decision());  // waits for the state of the key
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
  int dropped = 0;  // a thread that holds the queue may be descheduled
  for (const nlohmann::json& line : events_of(path_, "dropped")) dropped += line.at("count").get<int>();
  EXPECT_EQ(told + dropped, threads_count * keys_count);
  EXPECT_EQ(events_of(path_, "failure").size(), static_cast<std::size_t>(told));
}

TEST_F(Audit, TheWorkerWritesInEveryMode) {
  for (const Mode mode : {Mode::online, Mode::frozen, Mode::off}) {
    std::promise<EventKind> told;
    SelectorOptions background = options();
    background.background = true;
    background.mode = mode;
    background.on_change = [&](const Change& change) { told.set_value(change.kind); };
    Selector selector(background);
    Operation& op = selector.define(spec());
    op.fail(op.pin(key).decision());
    EXPECT_EQ(told.get_future().get(), EventKind::failure);  // while nothing else happens
  }
  EXPECT_EQ(events_of(path_, "failure").size(), 3u);
}

}  // namespace
}  // namespace adaptive

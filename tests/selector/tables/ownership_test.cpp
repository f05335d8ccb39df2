// Tests who owns a measurement: the effects of other writers, resets and failures on tables.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "table/merging/merge.hpp"
#include "table/merging/shares.hpp"
#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

using std::chrono::microseconds;

class Ownership : public testing::Test {
 protected:
  std::filesystem::path path(const std::string& name = "table.json") const { return folder_ / name; }
  static OperationSpec spec() { return test::operation({"a", "b"}); }
  table::Entry entry(const std::string& name = "table.json", const Key& key = {64}) const {
    return table::read(path(name)).table.operations.at("op").entries.at(key);
  }
  std::uint64_t count(const std::string& variant, const std::string& name = "table.json") const {
    const table::Entry found = entry(name);
    const auto record = found.variants.find(variant);
    return record == found.variants.end() ? 0 : record->second.count;
  }
  static void record(Operation& op, std::uint32_t variant, double us, int times, const Key& key = {64}) {
    for (int i = 0; i < times; ++i) op.record(key, variant, Latency(1000.0 * us));
  }
  static SelectorOptions from(const std::filesystem::path& file) {
    SelectorOptions options = test::options();
    options.tables.places = {file};
    return options;
  }
  static table::Table measured_by(const std::string& writer, std::uint64_t results) {
    table::Table table;
    table.fingerprint.device = "Test Device 1";
    table::OperationTable& op = table.operations["op"];
    op.name = "op";
    op.dimensions = {size_dimension("m")};
    op.variants = {{"a", {}}, {"b", {}}};
    table::Entry& one = op.entries[Key{64}];
    one.key = Key{64};
    one.variants["a"] = table::record_of(writer, {results, 1000.0, 1.0, 1000.0, 0});
    return table;
  }
  const test::ScratchFolder folder_;
};

TEST_F(Ownership, OldWritersAreCountedOnceHoweverOftenARunSaves) {
  table::Table all;
  all.fingerprint.device = "Test Device 1";
  for (int i = 0; i < 256; ++i) {
    char name[16];
    std::snprintf(name, sizeof name, "w%03d", i);
    table::merge(all, measured_by(name, 10));
  }
  table::write(all, path());
  Selector selector(from(path()));
  Operation& op = selector.define(spec());
  for (std::uint64_t i = 1; i <= 6; ++i) {
    record(op, 0, 1.0, 1);
    selector.save(path());
    EXPECT_EQ(count("a"), 2560 + i);
  }
  // The second run is the 258th writer. Of the other writers the newest 256 stay, and the program is told of
  // the cut.
  test::Log log;
  SelectorOptions options = from(path());
  options.log = log.callback();
  Selector another(options);
  record(another.define(spec()), 0, 1.0, 3);
  another.save(path());
  EXPECT_EQ(count("a"), 2560u + 3u) << "the first run, whose name is the least, was cut";
  EXPECT_EQ(log.count("newest 256 writers", LogLevel::warning), 1u) << log.text();
}

TEST_F(Ownership, TablesThatWereLoadedAddUp) {
  table::write(measured_by("one", 10), path("one.json"));
  table::write(measured_by("two", 7), path("two.json"));
  Selector selector(test::options());
  selector.define(spec());
  selector.load(path("one.json"));
  selector.load(path("two.json"));
  selector.save(path());
  EXPECT_EQ(count("a"), 17u);
}

TEST_F(Ownership, AResetVoidsWhatWasSaved) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  record(op, 0, 50.0, 100);
  selector.save(path());
  op.reset();
  record(op, 0, 1.0, 10);
  selector.save(path());
  const table::VariantRecord a = entry().variants.at("a");
  EXPECT_EQ(a.count, 10u);
  EXPECT_DOUBLE_EQ(a.mean_ns, 1000.0);
  EXPECT_DOUBLE_EQ(a.location_ns, 1000.0);
}

TEST_F(Ownership, AResetOfOneKeyLeavesTheOthers) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  record(op, 0, 50.0, 100, {64});
  record(op, 0, 50.0, 100, {4096});
  selector.save(path());
  ASSERT_TRUE(op.reset({64}));
  selector.save(path());
  EXPECT_EQ(count("a"), 0u) << "not even without a new result";
  EXPECT_EQ(entry("table.json", {4096}).variants.at("a").count, 100u);
}

TEST_F(Ownership, AResetVoidsTheIncumbentThatCameOfIt) {
  Selector other(test::options());
  test::learn(other.define(spec()), {64}, {100, 200});
  other.save(path());
  Selector selector(from(path()));
  Operation& op = selector.define(spec());
  test::learn(op, {64}, {400, 100});
  test::launch(op, {64}, {400, 100}, 2000);
  selector.save(path());
  ASSERT_EQ(entry().incumbent, "b");
  op.reset();
  selector.save(path());
  EXPECT_EQ(entry().incumbent, "a") << "what the other run had chosen";
  EXPECT_EQ(count("b"), 20u) << "what the other run had measured";
}

TEST_F(Ownership, AResetKeyThatNobodyElseKnowsIsNoKnownKey) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  test::learn(op, {64}, {200, 100});
  selector.save(path());
  op.reset();
  selector.save(path());
  EXPECT_EQ(entry().incumbent, "");
  EXPECT_EQ(entry().generations.size(), 1u);
  Selector next(from(path()));
  EXPECT_EQ(next.define(spec()).explain({64}).match.kind, MatchKind::fallback);
  next.save(path("copy.json"));
  EXPECT_EQ(entry("copy.json").generations.size(), 1u) << "handed on, for tables that know the old results";
}

TEST_F(Ownership, AResetRunDoesNotBeginWithItsOwnTable) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  test::learn(op, {64}, {200, 100});
  selector.save(path());
  selector.load(path());
  op.reset();
  EXPECT_EQ(op.explain({64}).match.kind, MatchKind::fallback);
}

TEST_F(Ownership, WhatWasResetComesBackFromNoOtherTable) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  record(op, 0, 50.0, 100);
  selector.save(path());
  // Another run reads the file. It saves first to a file of its own, and later to the same file.
  Selector other(from(path()));
  record(other.define(spec()), 0, 2.0, 3);
  op.reset();
  record(op, 0, 1.0, 10);
  other.save(path("other.json"));
  ASSERT_EQ(count("a", "other.json"), 103u);
  selector.save(path("other.json"));
  EXPECT_EQ(count("a", "other.json"), 13u);
  other.save(path("other.json"));
  EXPECT_EQ(count("a", "other.json"), 13u);
  // Merges in either order.
  const table::Table before = table::read(path()).table;
  const table::Table after = table::read(path("other.json")).table;
  table::Table one = before, two = after;
  table::merge(one, after);
  table::merge(two, before);
  EXPECT_EQ(one.operations, two.operations);
  EXPECT_EQ(one.operations.at("op").entries.at(Key{64}).variants.at("a").count, 13u);
}

TEST_F(Ownership, WhatWasResetComesBackFromNoStore) {
  const auto store = file_store(folder_ / "store");
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  record(op, 0, 50.0, 100);
  { Saver saver(selector, {.path = path(), .store = store}); }
  Selector other(test::options());
  record(other.define(spec()), 0, 2.0, 3);
  { Saver saver(other, {.path = path("other.json"), .store = store}); }
  ASSERT_EQ(count("a", "other.json"), 103u);
  op.reset();
  { Saver saver(selector, {.path = path(), .store = store}); }
  EXPECT_EQ(count("a"), 3u);
  {
    Saver saver(other, {.path = path("other.json"), .store = store});
    saver.save();
  }
  EXPECT_EQ(count("a", "other.json"), 3u);
}

TEST_F(Ownership, ADriftKeepsWhatWasSaved) {
  // If a policy starts a candidate again, it does not reset the key: the results remain measurements of this
  // run.
  class Restarting final : public Policy {
   public:
    Choice choose(const KeyStatistics& key, Random&) noexcept override { return {key.incumbent, true}; }
    Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }
    void observe(KeyStatistics& key, const Sample& sample) noexcept override {
      if (sample.log_latency > std::log(5000.0) && key[sample.candidate].count > 1)
        key.restart(sample.candidate);
    }
  };
  SelectorOptions options = test::options_with<Restarting>();
  Selector selector(options);
  Operation& op = selector.define(spec());
  record(op, 0, 1.0, 10);
  record(op, 0, 10.0, 1);
  selector.save(path());
  EXPECT_EQ(count("a"), 11u);
  EXPECT_TRUE(entry().generations.empty());
}

class Remembering : public Ownership {
 protected:
  // A run in which b, the fastest variant, fails at the end.
  void first_run(std::int64_t time) {
    SelectorOptions options = test::options();
    options.clock = [time] { return time; };
    Selector selector(options);
    Operation& op = selector.define(spec());
    test::learn(op, {64}, {200, 100});
    Forced forced = op.force("b");
    op.fail(op.select({64}));
    selector.save(path());
  }
  // Returns how often the next run launches b.
  int launches_of_b(std::int64_t time, const Fingerprint& device = {.device = "Test Device 1"}) {
    SelectorOptions options = from(path());
    options.policy = policy_of<test::RoundRobin>();
    options.clock = [time] { return time; };
    options.device = device;
    Selector selector(options);
    Operation& op = selector.define(spec());
    int launches = 0;
    for (int i = 0; i < 100; ++i) {
      const Decision decision = op.select({64});
      if (decision.variant() == 1) ++launches;
      if (decision.timed()) op.record(decision, Latency(decision.variant() == 1 ? 100.0 : 200.0));
    }
    return launches;
  }
  static constexpr std::int64_t now_ = 1'700'000'000;
  static constexpr std::int64_t day_ = 24 * 60 * 60;
};

TEST_F(Remembering, AVariantThatFailedIsNotTriedByTheNextRun) {
  first_run(now_);
  EXPECT_EQ(entry().variants.at("b").failed_at, now_);
  EXPECT_EQ(launches_of_b(now_ + day_), 0);
  EXPECT_EQ(launches_of_b(now_ + 29 * day_), 0);
}

TEST_F(Remembering, LastsUntilThirtyDaysHavePassed) {
  first_run(now_);
  EXPECT_GT(launches_of_b(now_ + 30 * day_), 0);
}

TEST_F(Remembering, LastsUntilTheSoftwareChanges) {
  first_run(now_);
  EXPECT_GT(launches_of_b(now_ + day_, {.device = "Test Device 2"}), 0);
  table::Table table = table::read(path()).table;
  table.fingerprint.driver = "580.1";
  table::write(table, path());
  EXPECT_EQ(launches_of_b(now_ + day_, {.device = "Test Device 1", .driver = "580.2"}), 0) << "a patch";
  EXPECT_GT(launches_of_b(now_ + day_, {.device = "Test Device 1", .driver = "590.1"}), 0);
}

TEST_F(Remembering, LastsUntilTheRunThatFailedResets) {
  SelectorOptions options = test::options();
  Selector selector(options);
  Operation& op = selector.define(spec());
  test::learn(op, {64}, {200, 100});
  {
    Forced forced = op.force("b");
    op.fail(op.select({64}));
  }
  selector.save(path());
  EXPECT_EQ(launches_of_b(now_), 0);
  op.reset();
  selector.save(path());
  EXPECT_GT(launches_of_b(now_), 0);
}

TEST_F(Remembering, AFailureWithoutATimeIsNotRemembered) {
  first_run(now_);
  table::Table table = table::read(path()).table;
  table::VariantRecord& b = table.operations.at("op").entries.at(Key{64}).variants.at("b");
  b.failed_at = b.shares.at(0).statistics.failed_at = 0;
  table::write(table, path());
  EXPECT_GT(launches_of_b(now_ + day_), 0);
}

TEST_F(Ownership, KeysThatNameNoLabelRunTheDefaultAndAreNotStored) {
  test::Log log;
  SelectorOptions options = test::options();
  options.log = log.callback();
  Selector selector(options);
  OperationSpec labelled = spec();
  labelled.dimensions = {size_dimension("m"), label_dimension("type", {"x", "y"}),
                         set_dimension("bits", {"2", "4"})};
  Operation& op = selector.define(labelled);
  record(op, 1, 1.0, 30, {8, 1, 3});
  const std::vector<Key> invalid = {{8, 2, 0}, {8, -1, 0}, {8, 0, 4}, {8, 0, -1}};
  for (const Key& key : invalid) {
    const Decision decision = op.select(key);
    EXPECT_EQ(decision.variant(), 0u);
    EXPECT_FALSE(decision.timed());
    op.record(decision, microseconds(1));
    op.record(key, 1, microseconds(1));
    op.fail(decision);
    EXPECT_EQ(op.pin(key).variant(), 0u);
    EXPECT_FALSE(op.select_known(key).has_value());
    EXPECT_THROW(op.site(key), Error);
    EXPECT_EQ(op.explain(key).incumbent, "a");
    EXPECT_FALSE(op.reset(key));
  }
  EXPECT_EQ(op.counters().keys_invalid, 4 * invalid.size());
  EXPECT_EQ(op.counters().keys, 1u);
  EXPECT_EQ(log.count("a value without a label", LogLevel::error), 1u) << log.text();
  selector.save(path());
  EXPECT_EQ(table::read(path()).table.operations.at("op").entries.size(), 1u);
}

TEST_F(Ownership, NamesThatNoTableCanHoldAreRefused) {
  const std::string long_name(1025, 'n');
  Selector selector(test::options());
  OperationSpec bad = spec();
  bad.variants[1].name = long_name;
  EXPECT_THROW(selector.define(bad), Error);
  bad = spec();
  bad.variants[1].parameters = {{long_name, 1}};
  EXPECT_THROW(selector.define(bad), Error);
  bad = spec();
  bad.dimensions = {label_dimension("type", {"x", ""})};
  EXPECT_THROW(selector.define(bad), Error);
  Operation& op = selector.define(spec());
  EXPECT_THROW(op.add_variant({.name = long_name}), Error);
  SelectorOptions options = test::options();
  options.writer = "#1";
  EXPECT_THROW(Selector{options}, Error);
}

}  // namespace
}  // namespace adaptive

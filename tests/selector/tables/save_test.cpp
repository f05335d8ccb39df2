// Tests how a table carries results from one run to the next.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Saving : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_ / "table.json"; }
  table::Table read() const { return table::read(path()).table; }
  static OperationSpec spec(const std::string& name = "op") {
    OperationSpec result = test::operation({"a", "b", "c"}, name);
    result.variants[1].parameters = {{"tile", 64}};
    return result;
  }
  // A run that learns that b is the fastest variant at m=64, and saves its table.
  void first_run() {
    Selector selector(test::options());
    test::learn(selector.define(spec()), {64}, {300, 100, 200});
    selector.save(path());
  }
  // Starts a run from the table.
  static std::unique_ptr<Selector> from(const std::filesystem::path& file,
                                        SelectorOptions options = test::options()) {
    options.tables.places = {file};
    return std::make_unique<Selector>(std::move(options));
  }
  const test::ScratchFolder folder_;
};

TEST_F(Saving, OfNothingIsAnEmptyTable) {
  Selector selector(test::options());
  selector.define(spec());
  selector.save(path());
  EXPECT_TRUE(read().operations.empty());
  EXPECT_EQ(read().fingerprint.device, "Test Device 1");
}

TEST_F(Saving, WritesWhatWasLearned) {
  first_run();
  const table::Table table = read();
  const table::OperationTable& op = table.operations.at("op");
  EXPECT_EQ(op.dimensions.at(0).name, "m");
  EXPECT_EQ(op.variants.at("b").at("tile"), Parameter(64));
  const table::Entry& entry = op.entries.at(Key{64});
  EXPECT_EQ(entry.incumbent, "b");
  EXPECT_EQ(entry.origin, table::Origin::adapted);
  EXPECT_EQ(entry.time, 1'700'000'000);
  EXPECT_NEAR(entry.variants.at("b").location_ns, 100.0, 2.0);
  EXPECT_GT(entry.variants.at("b").count, 10u);
  EXPECT_EQ(table.tool, std::string("adaptive ") + library_version);
}

TEST_F(Saving, WritesTheMappingThatTheProgramDeclares) {
  const auto saved_mapping = [&](const std::string& declared) {
    OperationSpec with = spec();
    with.mapping = declared;
    SelectorOptions options = test::options();
    options.tables.places = {path()};
    Selector selector(std::move(options));
    test::learn(selector.define(std::move(with)), {64}, {300, 100, 200});
    selector.save(path());
    return read().operations.at("op").mapping;
  };
  const std::string declared =
      R"({"operation": "op", "mappings": [{"to": "fused_moe", "key": {"m": "m"}, "parameters": {"x": "tile"}}]})";
  const std::string stored = R"({"mappings":[{"key":{"m":"m"},"parameters":{"x":"tile"},"to":"fused_moe"}]})";
  EXPECT_EQ(saved_mapping(declared), stored);
  EXPECT_EQ(saved_mapping(""), stored) << "a program that declares none keeps the table's";
  const std::string other = R"({"mappings":[{"refused":"why","to":"fused_moe"}]})";
  EXPECT_EQ(saved_mapping(other), other) << "the program's own replaces the table's";
}

TEST_F(Saving, AFaultyMappingIsRefusedWhereItIsDefined) {
  const auto problem = [&](const std::string& declared) {
    OperationSpec with = spec();
    with.mapping = declared;
    Selector selector(test::options());
    try {
      selector.define(std::move(with));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(problem("{").find("the mapping of op:1"), std::string::npos) << problem("{");
  EXPECT_NE(problem(R"({"mappings": []})").find("/mappings"), std::string::npos);
  EXPECT_NE(problem(R"({"operation": "other", "mappings": [{"to": "x", "refused": "y"}]})").find("is not op"),
            std::string::npos);
}

TEST_F(Saving, WritesTheQuantilesOfTheLatestResults) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  EXPECT_EQ(op.select({64}).variant(), 0u);
  for (int i = 1; i <= 200; ++i) op.record({64}, 1, Latency(100.0 + i));
  selector.save(path());
  const table::VariantRecord record = read().operations.at("op").entries.at(Key{64}).variants.at("b");
  EXPECT_EQ(record.count, 200U);
  EXPECT_EQ(record.recent, (RecentLatencies{128, 236.0, 294.0, 299.0}));
  op.reset();
  for (int i = 0; i < 10; ++i) op.record({64}, 1, Latency(500.0));
  selector.save(path());
  EXPECT_EQ(read().operations.at("op").entries.at(Key{64}).variants.at("b").recent,
            (RecentLatencies{10, 500.0, 500.0, 500.0}));
}

TEST_F(Saving, GivesTheNextRunAnExactMatch) {
  first_run();
  const auto selector = from(path());
  Operation& op = selector->define(spec());
  const Explanation why = op.explain({64});
  EXPECT_EQ(why.match.kind, MatchKind::exact);
  EXPECT_EQ(why.source, path().string());
  EXPECT_EQ(why.incumbent, "b");
  EXPECT_EQ(op.select({64}).variant(), 1u);
  EXPECT_NEAR(op.explain({64}).candidates.at(1).seed_ns, 100.0, 2.0);
  EXPECT_EQ(op.pin({64}).variant(), 1u);
}

TEST_F(Saving, GivesTheNextRunTheNearestForANewKey) {
  first_run();
  const auto selector = from(path());
  Operation& op = selector->define(spec());
  EXPECT_EQ(op.select({70}).variant(), 1u);
  EXPECT_EQ(op.explain({70}).match.kind, MatchKind::nearest);
  EXPECT_EQ(op.explain({70}).source, "m=64 of " + path().string());
  EXPECT_EQ(op.select({500}).variant(), 0u);
}

TEST_F(Saving, LetsTheNextRunSettleWithoutMeasuringAllAnew) {
  first_run();
  const auto selector = from(path());
  Operation& op = selector->define(spec());
  for (int i = 0; i < 20; ++i) op.record(Key{64}, 1, Latency(100.0));
  EXPECT_TRUE(op.explain({64}).settled) << op.explain({64});
  for (const std::size_t other : {0U, 2U})
    EXPECT_EQ(op.explain({64}).candidates.at(other).count, 0u) << "the table proves that it is slower";
}

TEST_F(Saving, DoesNotMakeTheNextRunBeginWithWhatItHasDisabled) {
  first_run();
  const auto selector = from(path());
  Operation& op = selector->define(spec());
  op.enable("b", false);
  for (int i = 0; i < 20; ++i) EXPECT_NE(op.select({64}).variant(), 1u);
  EXPECT_EQ(op.pin({64}).variant(), 2u) << "the fastest of the others";
}

TEST_F(Saving, AddsUpOverRuns) {
  first_run();
  const std::uint64_t before = read().operations.at("op").entries.at(Key{64}).variants.at("b").count;
  const auto selector = from(path());
  Operation& op = selector->define(spec());
  for (int i = 0; i < 10; ++i) op.record(Key{64}, 1, Latency(100.0));
  selector->save(path());
  EXPECT_EQ(read().operations.at("op").entries.at(Key{64}).variants.at("b").count, before + 10);
}

TEST_F(Saving, TwiceIsTheSameAsOnce) {
  first_run();
  const auto selector = from(path());
  test::learn(selector->define(spec()), {64}, {300, 100, 200});
  selector->save(folder_ / "one.json");
  selector->save(folder_ / "two.json");
  EXPECT_EQ(folder_.read("one.json"), folder_.read("two.json"));
}

TEST_F(Saving, KeepsEntriesOfKeysThatWereNotVisited) {
  first_run();
  const auto selector = from(path());
  Operation& op = selector->define(spec());
  test::learn(op, {8}, {100, 200, 300});
  selector->save(path());
  const table::OperationTable table = read().operations.at("op");
  EXPECT_EQ(table.entries.size(), 2u);
  EXPECT_EQ(table.entries.at(Key{64}).incumbent, "b");
  EXPECT_EQ(table.entries.at(Key{8}).incumbent, "a");
}

TEST_F(Saving, KeepsOperationsThatWereNotDefined) {
  first_run();
  const auto selector = from(path());
  selector->define(spec("another"));
  selector->save(path());
  ASSERT_TRUE(read().operations.contains("op"));
  EXPECT_EQ(read().operations.at("op").entries.at(Key{64}).incumbent, "b");
}

TEST_F(Saving, KeepsWhatVariantsOfAnOtherProgramMeasured) {
  first_run();
  const auto selector = from(path());
  OperationSpec fewer = spec();
  fewer.variants.erase(fewer.variants.begin() + 1);
  fewer.variants.push_back({.name = "d"});
  Operation& op = selector->define(fewer);
  EXPECT_EQ(op.explain({64}).incumbent, "c") << "the fastest that this program has";
  test::learn(op, {64}, {300, 200, 250});
  selector->save(path());
  const table::Entry entry = read().operations.at("op").entries.at(Key{64});
  EXPECT_EQ(entry.incumbent, "c");
  EXPECT_TRUE(entry.variants.contains("b")) << "the program that has it will want it";
}

// Whichever clock is wrong, the incumbent of this run is the one that it promoted last.
TEST_F(Saving, TakesTheIncumbentOfThisRun) {
  for (const std::int64_t time : {1'700'000'000, 1'600'000'000, 0}) {
    first_run();
    SelectorOptions options = test::options();
    options.clock = [time] { return time; };
    const auto selector = from(path(), options);
    Operation& op = selector->define(spec());
    test::launch(op, {64}, {100, 300, 200}, 3000);
    ASSERT_EQ(test::incumbent(op, {64}), 0u);
    selector->save(path());
    EXPECT_EQ(read().operations.at("op").entries.at(Key{64}).incumbent, "a") << time;
  }
}

TEST_F(Saving, RemembersFailures) {
  Selector selector(test::options_with<test::Steady>());
  Operation& op = selector.define(spec());
  op.fail(op.select({64}));
  selector.save(path());
  const table::Entry entry = read().operations.at("op").entries.at(Key{64});
  EXPECT_EQ(entry.variants.at("a").failures, 1u);
  EXPECT_EQ(entry.incumbent, "b");
}

TEST_F(Saving, WritesRoundedKeysLabelsAndSets) {
  OperationSpec rich = spec();
  rich.dimensions = {size_dimension("m", 0.5, Rounding::power_of_two),
                     label_dimension("dtype", {"fp16", "fp8"}), set_dimension("bits", {"2", "4", "8"}),
                     linear_dimension("shift")};
  const Key key{17, 1, 5, -3};
  {
    Selector selector(test::options());
    test::learn(selector.define(rich), key, {300, 100, 200});
    selector.save(path());
  }
  const auto selector = from(path());
  Operation& op = selector->define(rich);
  EXPECT_EQ(op.explain(key).match.kind, MatchKind::exact);
  EXPECT_EQ(op.select({30, 1, 5, -3}).variant(), 1u) << "the same entry after rounding";
  EXPECT_EQ(op.select({30, 0, 5, -3}).variant(), 0u);
}

TEST_F(Saving, ToAFolderThatIsNotThereIsAnError) {
  Selector selector(test::options());
  try {
    selector.save(folder_ / "missing" / "table.json");
    ADD_FAILURE() << "saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found) << error.what();
    EXPECT_NE(error.where().find("missing"), std::string::npos) << error.what();
  }
}

TEST_F(Saving, OfATablesEntriesThroughAKeyBeyondTheirNumberKeepsThem) {
  first_run();
  OperationSpec few = spec();
  few.max_keys = 0;
  const auto selector = from(path());
  Operation& op = selector->define(few);
  EXPECT_EQ(op.select({64}).variant(), 1u) << "served from the table";
  EXPECT_EQ(op.pin({64}).variant(), 1u);
  ASSERT_TRUE(op.select_known({64}).has_value());
  EXPECT_EQ(op.select_known({64})->variant(), 1u);
  EXPECT_EQ(op.select({65}).variant(), 0u);
  op.enable("b", false);
  EXPECT_EQ(op.select({64}).variant(), 0u);
}

TEST_F(Saving, KeepsWhatOtherProcessesHaveSavedMeanwhile) {
  Selector one(test::options()), other(test::options());
  one.define(spec()).record({64}, 1, std::chrono::microseconds(1));
  other.define(spec()).record({64}, 1, std::chrono::microseconds(3));
  other.define(spec("another")).record({8}, 0, std::chrono::microseconds(3));
  one.save(path());
  other.save(path());
  one.save(path());
  const table::Table table = read();
  const table::VariantRecord& record = table.operations.at("op").entries.at(Key{64}).variants.at("b");
  EXPECT_EQ(record.count, 2u);
  EXPECT_DOUBLE_EQ(record.mean_ns, 2000.0);
  EXPECT_EQ(record.shares.size(), 2u);
  EXPECT_TRUE(table.operations.contains("another"));
}

TEST_F(Saving, UnderTheNameThatTheProgramGives) {
  SelectorOptions options = test::options();
  options.writer = "host-17";
  Selector selector(options);
  selector.define(spec()).record({64}, 1, std::chrono::microseconds(1));
  selector.save(path());
  EXPECT_EQ(read().operations.at("op").entries.at(Key{64}).variants.at("b").shares.at(0).writer, "host-17");
  options.writer = std::string(65, 'x');
  EXPECT_THROW(Selector{options}, Error);
}

TEST_F(Saving, AVariantThatIsAnotherOneByNowDoesNotMix) {
  first_run();
  OperationSpec changed = spec();
  changed.variants[1].parameters = {{"tile", 128}};
  Selector selector(test::options());
  selector.define(changed).record({64}, 1, std::chrono::microseconds(1));
  selector.save(path());
  const table::OperationTable op = read().operations.at("op");
  EXPECT_EQ(op.variants.at("b").at("tile"), Parameter(128));
  EXPECT_EQ(op.entries.at(Key{64}).variants.at("b").count, 1u);
  EXPECT_GT(op.entries.at(Key{64}).variants.at("a").count, 1u);
}

TEST_F(Saving, WhatIsNoTableIsNotReplaced) {
  std::ofstream(path()) << "notes";
  Selector selector(test::options());
  EXPECT_THROW(selector.save(path()), Error);
  EXPECT_EQ(std::filesystem::file_size(path()), 5u);
}

}  // namespace
}  // namespace adaptive

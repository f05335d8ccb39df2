// Tests the effect of tables on a running selector: loading, unknown names, other dimensions, other schemas.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Loading : public testing::Test {
 protected:
  Loading() {
    options_ = test::options();
    options_.log = log_.callback();
  }
  // Writes a table of `op` whose incumbent for m=64 is `incumbent`.
  std::filesystem::path table(const std::string& name, const std::string& incumbent,
                              std::vector<Dimension> dimensions = {size_dimension("m")}) {
    table::OperationTable op;
    op.name = "op";
    op.dimensions = std::move(dimensions);
    table::Entry entry;
    entry.key = op.dimensions.size() == 1 ? Key{64} : Key{64, 1};
    entry.incumbent = incumbent;
    entry.time = 1'600'000'000;
    for (const char* variant : {"a", "b", "c", "old"}) op.variants[variant] = {};
    entry.variants[incumbent] = {10, 100.0, 1.0, 100.0, 0};
    op.entries.emplace(entry.key, entry);
    table::Table table;
    table.fingerprint.device = "Test Device 1";
    table.operations.emplace("op", op);
    table::write(table, folder_ / name);
    return folder_ / name;
  }
  const test::ScratchFolder folder_;
  test::Log log_;
  SelectorOptions options_;
};

TEST_F(Loading, SeedsKeysThatHaveNoStateYet) {
  Selector selector(options_);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  op.select({64});
  selector.load(table("t.json", "b"));
  EXPECT_EQ(op.explain({64}).match.kind, MatchKind::fallback);
  EXPECT_EQ(op.select({65}).variant(), 1u);
}

// The table contains the parameters of a library's algorithm that this run has not met.
TEST_F(Loading, MakesTheVariantsThatTheProgramCanParse) {
  options_.tables.places = {table("t.json", "old")};
  OperationSpec spec = test::operation({"a", "b"});
  spec.parse = [](const std::string& name, const Parameters&) -> std::optional<Variant> {
    if (name != "old") return std::nullopt;
    return Variant{.name = name, .supports = [](const Key& key) { return key[0] >= 64; }};
  };
  spec.candidates = [](const Key&) { return std::vector<std::uint32_t>{0, 1}; };
  Selector selector(options_);
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.variant_count(), 3u) << "only what an entry names";
  EXPECT_EQ(op.select({64}).variant(), 2u) << "a candidate of the key that the table has it for";
  EXPECT_EQ(op.explain({64}).match.kind, MatchKind::exact);
  EXPECT_EQ(op.explain({65}).candidates.size(), 2u) << "and of no other";
}

TEST_F(Loading, LeavesOutWhatCannotBeParsedOrIsGivenAnotherName) {
  for (const bool throws : {false, true}) {
    OperationSpec spec = test::operation({"a", "b"});
    spec.parse = [throws](const std::string&, const Parameters&) -> std::optional<Variant> {
      if (throws) throw std::runtime_error("no such algorithm");
      return Variant{.name = "a"};
    };
    Selector selector(options_);
    Operation& op = selector.define(spec);
    selector.load(table("t.json", "old"));
    EXPECT_EQ(op.variant_count(), 2u);
    EXPECT_EQ(op.select({64}).variant(), 0u);
  }
  EXPECT_GE(log_.count("no such algorithm"), 1u) << log_.text();
}

TEST_F(Loading, BeforeDefiningSeedsToo) {
  Selector selector(options_);
  selector.load(table("t.json", "b"));
  EXPECT_EQ(selector.define(test::operation({"a", "b", "c"})).select({64}).variant(), 1u);
}

TEST_F(Loading, GoesAheadOfWhatWasThereBefore) {
  options_.tables.places = {table("found.json", "b")};
  for (const bool defined_first : {true, false}) {
    Selector selector(options_);
    if (defined_first) selector.define(test::operation({"a", "b", "c"}));
    selector.load(table("loaded.json", "c"));
    EXPECT_EQ(selector.define(test::operation({"a", "b", "c"})).select({64}).variant(), 2u);
  }
}

TEST_F(Loading, IsTakenUpByAReset) {
  Selector selector(options_);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  op.select({64});
  selector.load(table("t.json", "b"));
  op.reset();
  EXPECT_EQ(op.explain({64}).match.kind, MatchKind::exact);
  EXPECT_EQ(op.select({64}).variant(), 1u);
}

TEST_F(Loading, ReportsVariantsThatTheProgramDoesNotHave) {
  Selector selector(options_);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  const std::filesystem::path path = table("t.json", "old");
  selector.load(path);
  EXPECT_EQ(log_.count(path.string() + ": op has no variant old"), 1u) << log_.text();
  EXPECT_EQ(op.select({64}).variant(), 0u);
}

TEST_F(Loading, ReportsOtherDimensionsAndUsesNothing) {
  const std::vector<std::vector<Dimension>> others = {
      {size_dimension("n")}, {linear_dimension("m")}, {size_dimension("m"), size_dimension("n")}};
  int n = 0;
  for (const auto& dimensions : others) {
    Selector selector(options_);
    Operation& op = selector.define(test::operation({"a", "b", "c"}));
    const std::filesystem::path path = table("t" + std::to_string(n++) + ".json", "b", dimensions);
    selector.load(path);
    EXPECT_EQ(op.select({64}).variant(), 0u);
    EXPECT_EQ(log_.count(path.string() + ": op has other dimensions", LogLevel::warning), 1u) << log_.text();
  }
}

// Otherwise a value of the old dimension would be read as a value of the new one.
TEST_F(Loading, OfOtherDimensionsIsNotSavedUnderTheNewOnes) {
  Selector selector(options_);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  selector.load(table("old.json", "b", {size_dimension("n")}));
  op.record(Key{8}, 0, Latency(100.0));
  selector.save(folder_ / "new.json");
  const table::OperationTable saved = table::read(folder_ / "new.json").table.operations.at("op");
  EXPECT_EQ(saved.dimensions.at(0).name, "m");
  EXPECT_EQ(saved.entries.size(), 1u);
  EXPECT_TRUE(saved.entries.contains(Key{8}));
}

TEST_F(Loading, OfANewerSchemaIsRefusedAndNothingChanges) {
  table("t.json", "b");
  std::string newer = folder_.read("t.json");
  const std::string version = "\"version\": " + std::to_string(table::Table::schema_version);
  const std::size_t at = newer.find(version);
  ASSERT_NE(at, std::string::npos);
  newer.replace(at, version.size(), "\"version\": 99");
  folder_.write("newer.json", newer);
  Selector selector(options_);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  try {
    selector.load(folder_ / "newer.json");
    ADD_FAILURE() << "loaded";
  } catch (const Error& error) {
    EXPECT_NE(error.where().find("newer.json"), std::string::npos) << error.what();
    EXPECT_NE(error.problem().find("99"), std::string::npos) << error.what();
  }
  EXPECT_EQ(op.select({64}).variant(), 0u);
}

TEST_F(Loading, OfWhatIsNoTableIsAnErrorThatNamesTheFile) {
  Selector selector(options_);
  selector.define(test::operation({"a"}));
  for (const auto& path : {folder_ / "missing.json", folder_.write("text.json", "no json"), folder_.path()}) {
    try {
      selector.load(path);
      ADD_FAILURE() << "loaded " << path;
    } catch (const Error& error) {
      EXPECT_NE(error.where().find(path.filename().string()), std::string::npos) << error.what();
    }
  }
}

TEST_F(Loading, UsesTheRestOfATableWithFaults) {
  table("t.json", "b");
  std::string text = folder_.read("t.json");
  const std::size_t at = text.find("\"entries\": [");
  ASSERT_NE(at, std::string::npos);
  text.insert(at + 12, "{\"key\": {\"m\": \"no number\"}, \"incumbent\": \"c\"},");
  folder_.write("faulty.json", text);
  Selector selector(options_);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  selector.load(folder_ / "faulty.json");
  EXPECT_EQ(op.select({64}).variant(), 1u);
  EXPECT_GE(log_.count("faulty.json", LogLevel::warning), 1u) << log_.text();
}

TEST_F(Loading, MatchesVariantsByNameNotByOrder) {
  Selector selector(options_);
  selector.load(table("t.json", "b"));
  EXPECT_EQ(selector.define(test::operation({"a", "x", "c", "b"})).select({64}).variant(), 3u);
}

// Tables of older versions, and those of programs that are told what to keep, may name a variant that their
// own measurements disprove.
TEST_F(Loading, FollowsTheTablesMeasurementsNotTheIncumbentThatTheyDisprove) {
  table::Table disproved = table::read(table("t.json", "a")).table;
  auto& variants = disproved.operations.at("op").entries.at({64}).variants;
  variants["a"] = {5, 1202.0, 2.0, 1202.0, 0};
  variants["b"] = {5, 102.0, 2.0, 102.0, 0};
  table::write(disproved, folder_ / "disproved.json");
  options_.tables.places = {folder_ / "disproved.json"};
  for (const Mode mode : {Mode::seed, Mode::frozen, Mode::observe, Mode::online}) {
    options_.mode = mode;
    Selector selector(options_);
    Operation& op = selector.define(test::operation({"a", "b", "c"}));
    EXPECT_EQ(op.explain({64}).incumbent, "b");
    const Decision decision = op.select({64});
    EXPECT_EQ(decision.variant(), 1u);
    EXPECT_EQ(op.pin({64}).variant(), 1u);
    const Explanation why = op.explain({64});
    EXPECT_EQ(why.incumbent, "b");
    EXPECT_NE(why.reason.find("the table names a, but its own measurements prove that b takes 92"),
              std::string::npos)
        << why.reason;
    selector.set_mode(Mode::off);
    EXPECT_EQ(op.select({64}).variant(), 0u);
  }
}

}  // namespace
}  // namespace adaptive

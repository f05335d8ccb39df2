// Tests ADAPTIVE_TABLES and the folders of a device, end to end.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/selector/environment_variable.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Searching : public testing::Test {
 protected:
  Searching() {
    options_ = test::options();
    options_.log = log_.callback();
  }
  // Writes a table in which `variant` is the fastest at m=64.
  void put(const std::string& name, std::size_t variant) {
    Selector selector(test::options());
    std::vector<double> ns = {300, 300, 300, 300};
    ns[variant] = 100;
    test::learn(selector.define(spec()), {64}, ns);
    std::filesystem::create_directories((folder_ / name).parent_path());
    selector.save(folder_ / name);
  }
  std::uint32_t selected(const TableSearch& tables) {
    options_.tables = tables;
    Selector selector(options_);
    return selector.define(spec()).select({64}).variant();
  }
  static OperationSpec spec() { return test::operation({"a", "b", "c", "d"}); }

  const test::ScratchFolder folder_;
  test::Log log_;
  SelectorOptions options_;
};

TEST_F(Searching, ReadsTheFoldersOfTheEnvironment) {
  put("one/test_device_1/table.json", 1);
  put("two/test_device_1/table.json", 2);
  const std::string both = (folder_ / "one").string() + ":" + (folder_ / "two").string();
  {
    const test::EnvironmentVariable variable("ADAPTIVE_TABLES", both);
    EXPECT_EQ(selected(TableSearch::standard()), 1u) << "the earlier place is trusted more";
  }
  const test::EnvironmentVariable variable("ADAPTIVE_TABLES", (folder_ / "two").string());
  EXPECT_EQ(selected(TableSearch::standard()), 2u);
}

TEST_F(Searching, PrefersTheFolderItselfThenTheVersionThenTheDevice) {
  const TableSearch search{{folder_.path()}, "2.0"};
  put("test_device_1/legacy/table.json", 1);
  EXPECT_EQ(selected(search), 1u);
  put("test_device_1/table.json", 2);
  EXPECT_EQ(selected(search), 2u);
  put("test_device_1/2.0/table.json", 3);
  EXPECT_EQ(selected(search), 3u);
  put("table.json", 1);
  EXPECT_EQ(selected(search), 1u);
}

TEST_F(Searching, FallsBackToAnOlderVersionWithAWarning) {
  put("test_device_1/1.9/table.json", 1);
  EXPECT_EQ(selected({{folder_.path()}, "2.0"}), 1u);
  EXPECT_GE(log_.count("no tables of version 2.0", LogLevel::warning), 1u) << log_.text();
}

TEST_F(Searching, DoesNotReadAnotherDevicesFolder) {
  put("other_device_2/table.json", 1);
  EXPECT_EQ(selected({{folder_.path()}, ""}), 0u);
}

TEST_F(Searching, SaysWhatWasLookedForAndWhere) {
  EXPECT_EQ(selected({{folder_.path()}, ""}), 0u);
  EXPECT_GE(log_.count("no table for Test Device 1"), 1u) << log_.text();
  EXPECT_GE(log_.count((folder_ / "test_device_1").string()), 1u) << log_.text();
}

TEST_F(Searching, UsesTheRestWhereAFileIsCorrupt) {
  put("b.json", 1);
  folder_.write("a.json", "{\"schema\": ");
  EXPECT_EQ(selected({{folder_.path()}, ""}), 1u);
  EXPECT_GE(log_.count("a.json", LogLevel::warning), 1u) << log_.text();
}

TEST_F(Searching, APlaceThatDoesNotExistIsAFaultOnlyWhereItWasAskedFor) {
  put("test_device_1/table.json", 1);
  selected({.places = {folder_.path()}, .defaults = {folder_ / "not there"}});
  EXPECT_EQ(log_.count("", LogLevel::warning), 0u) << log_.text();
  selected({.places = {folder_.path(), folder_ / "not there"}});
  EXPECT_EQ(log_.count("not there: does not exist", LogLevel::warning), 1u) << log_.text();
}

// `adaptive tune --update` writes to this folder.
TEST_F(Searching, ReadsTheUsersOwnFolderAfterThatOfTheEnvironment) {
  put("data/adaptive/tables/test_device_1/table.json", 1);
  put("first/test_device_1/table.json", 2);
  const test::EnvironmentVariable own("XDG_DATA_HOME", (folder_ / "data").string());
  {
    const test::EnvironmentVariable none("ADAPTIVE_TABLES", "");
    EXPECT_EQ(selected(TableSearch::standard()), 1u);
  }
  const test::EnvironmentVariable first("ADAPTIVE_TABLES", (folder_ / "first").string());
  EXPECT_EQ(selected(TableSearch::standard()), 2u);
}

TEST_F(Searching, PutsKeysOfSeveralTablesTogether) {
  put("one.json", 1);
  {
    Selector selector(test::options());
    test::learn(selector.define(spec()), {4096}, {300, 300, 100, 300});
    selector.save(folder_ / "two.json");
  }
  options_.tables.places = {folder_ / "one.json", folder_ / "two.json"};
  Selector selector(options_);
  Operation& op = selector.define(spec());
  EXPECT_EQ(op.select({64}).variant(), 1u);
  EXPECT_EQ(op.select({4096}).variant(), 2u);
}

}  // namespace
}  // namespace adaptive

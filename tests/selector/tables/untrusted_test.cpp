// Tests that tables for another device or other software only decide which variants are tried first.
#include <gtest/gtest.h>

#include <string>

#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Untrusted : public testing::Test {
 protected:
  // Saves a table, measured on `device`, in which c is the fastest at m=64.
  void measured_on(const Fingerprint& device) {
    SelectorOptions options = test::options();
    options.device = device;
    Selector selector(options);
    test::learn(selector.define(test::operation({"a", "b", "c"})), {64}, {300, 200, 100});
    selector.save(folder_ / "table.json");
  }
  SelectorOptions here() {
    SelectorOptions options = test::options();
    options.log = log_.callback();
    options.tables.places = {folder_ / "table.json"};
    return options;
  }
  const test::ScratchFolder folder_;
  test::Log log_;
};

TEST_F(Untrusted, AnotherDevicesBestIsTriedFirst) {
  measured_on({.device = "Other Device 2"});
  Selector selector(here());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  EXPECT_EQ(op.select({64}).variant(), 2u);
  EXPECT_EQ(log_.count("measured on another device"), 1u) << log_.text();
  EXPECT_EQ(log_.count("Other Device 2"), 1u) << log_.text();
}

TEST_F(Untrusted, AnotherDevicesNumbersConfirmNothing) {
  measured_on({.device = "Other Device 2"});
  Selector selector(here());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  for (int i = 0; i < 100; ++i) op.record(Key{64}, 2, Latency(100.0));
  EXPECT_FALSE(op.explain({64}).settled) << "the others have not been measured here";
}

TEST_F(Untrusted, AnotherDevicesOrderIsCorrected) {
  measured_on({.device = "Other Device 2"});
  Selector selector(here());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  test::launch(op, {64}, {100, 200, 300}, 3000);
  EXPECT_EQ(test::incumbent(op, {64}), 0u);
}

TEST_F(Untrusted, AnotherDevicesNumbersAreNotSavedAsThisOnes) {
  measured_on({.device = "Other Device 2"});
  Selector selector(here());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  op.record(Key{8}, 0, Latency(100.0));
  selector.save(folder_ / "mine.json");
  const table::Table saved = table::read(folder_ / "mine.json").table;
  EXPECT_EQ(saved.fingerprint.device, "Test Device 1");
  EXPECT_EQ(saved.operations.at("op").entries.size(), 1u);
}

TEST_F(Untrusted, AnotherKindOfProcessorsTableIsNotUsedAtAll) {
  measured_on({.device = "Test Device 1", .libraries = {{"instruction_sets", "avx2"}}});
  SelectorOptions options = here();
  options.device.libraries["compute_capability"] = "9.0";
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  EXPECT_EQ(test::incumbent(op, {64}), 0u);
  selector.load(folder_ / "table.json");
  EXPECT_EQ(test::incumbent(op, {64}), 0u);
  EXPECT_EQ(log_.count("another kind of processor", LogLevel::warning), 2u) << log_.text();
}

TEST_F(Untrusted, IsWhatDiffersInDriverToolkitOrLibrary) {
  const Fingerprint mine{
      .device = "Test Device 1", .driver = "1", .toolkit = "2", .libraries = {{"blas", "3"}}};
  const auto trusted = [&](const Fingerprint& theirs) {
    measured_on(theirs);
    test::Log log;
    SelectorOptions options = here();
    options.device = mine;
    options.log = log.callback();
    Selector selector(options);
    selector.define(test::operation({"a", "b", "c"}));
    return log.count("measured on another device or with other software") == 0;
  };
  EXPECT_TRUE(trusted(mine));
  EXPECT_TRUE(trusted({.device = "test-device 1"})) << "the same name, and nothing else known";
  EXPECT_FALSE(trusted({.device = "Test Device 1", .driver = "9"}));
  EXPECT_FALSE(trusted({.device = "Test Device 1", .toolkit = "9"}));
  EXPECT_FALSE(trusted({.device = "Test Device 1", .libraries = {{"blas", "9"}}}));
  EXPECT_TRUE(trusted({.device = "Test Device 1", .libraries = {{"other", "9"}}}));
}

}  // namespace
}  // namespace adaptive

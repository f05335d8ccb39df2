#include "table/exchange.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <adaptive/error.hpp>

#include "sample_table.hpp"
#include "table/shares.hpp"

namespace adaptive::table {
namespace {

// In memory; counts what is written.
class MemoryStore final : public Store {
 public:
  Records read(const std::string& group) override {
    if (!reachable) throw Error("gone", name());
    return groups[group];
  }
  void write(const std::string& group, const std::string&, const Records& records) override {
    for (const auto& [record, text] : records) groups[group].insert_or_assign(record, text);
    written += records.size();
  }
  std::string name() const override { return "memory"; }

  std::map<std::string, Records> groups;
  std::size_t written = 0;
  bool reachable = true;
};

Table measured(const std::string& writer, std::uint64_t count, std::int64_t m, std::int64_t time = 10) {
  Table table;
  table.fingerprint = {"NVIDIA H200", "580.1.2", "13.0.1", {}};
  OperationTable& operation = table.operations["a/b"];
  operation.name = "a/b";
  operation.dimensions = {size_dimension("m")};
  operation.variants = {{"x", {{"tile", 1}}}, {"y", {}}};
  Entry& entry = operation.entries[Key{m}];
  entry.key = Key{m};
  entry.incumbent = "x";
  entry.time = time;
  entry.variants["x"] = record_of(writer, {count, 100.0, 4.0, 100.0, 0});
  return table;
}

const Statistics& statistics_in(const Table& table, std::int64_t m) {
  return table.operations.at("a/b").entries.at(Key{m}).variants.at("x");
}

class Exchanging : public testing::Test {
 protected:
  Table run(Exchange& exchange, const Table& own) {
    notices_.clear();
    return exchange.run(own, notices_);
  }
  const std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
  Exchange first_{store_, "first"};
  Exchange second_{store_, "second"};
  std::vector<Notice> notices_;
};

TEST_F(Exchanging, EachGetsWhatAllHaveMeasured) {
  EXPECT_EQ(statistics_in(run(first_, measured("first", 5, 8)), 8).count, 5u);
  const Table second = run(second_, measured("second", 7, 8));
  EXPECT_EQ(statistics_in(second, 8).count, 12u);
  EXPECT_EQ(run(first_, measured("first", 5, 8)), second);
  EXPECT_TRUE(notices_.empty());
  ASSERT_EQ(store_->groups.size(), 1u);
  EXPECT_EQ(store_->groups.begin()->first, "nvidia_h200-580-13.0");
  EXPECT_TRUE(store_->groups.begin()->second.contains("a%2Fb/m=8/first"));
}

TEST_F(Exchanging, OnlyWhatChangedIsWritten) {
  run(first_, measured("first", 5, 8, 10));
  run(first_, measured("first", 5, 8, 20));  // nothing but the time of asking
  EXPECT_EQ(store_->written, 1u);
  run(first_, measured("first", 6, 8, 30));
  EXPECT_EQ(store_->written, 2u);
}

TEST_F(Exchanging, WhatTheStoreHasLostIsWrittenAgain) {
  run(first_, measured("first", 5, 8));
  run(second_, measured("second", 7, 16));
  store_->groups.clear();
  run(first_, measured("first", 5, 8));
  const Table second = run(second_, measured("second", 7, 16));
  EXPECT_EQ(second, run(first_, measured("first", 5, 8)));
  EXPECT_EQ(statistics_in(second, 8).count, 5u);
}

TEST_F(Exchanging, AnOutageIsAnError) {
  store_->reachable = false;
  EXPECT_THROW(run(first_, measured("first", 5, 8)), Error);
  store_->reachable = true;
  EXPECT_EQ(statistics_in(run(first_, measured("first", 5, 8)), 8).count, 5u);
}

TEST_F(Exchanging, OthersFaultsAreNoticedAndLeftOut) {
  run(second_, measured("second", 7, 16));
  Store::Records& records = store_->groups.begin()->second;
  records["broken"] = "{";
  Table conflicting = measured("third", 3, 32);
  conflicting.operations.at("a/b").variants["x"] = {{"tile", 2}};
  records["conflicting"] = print(conflicting);
  Table other_software = measured("fourth", 3, 64);
  other_software.fingerprint.toolkit = "12.0";
  records["software"] = print(other_software);
  const Table table = run(first_, measured("first", 5, 8));
  EXPECT_EQ(notices_.size(), 3u);
  EXPECT_EQ(statistics_in(table, 16).count, 7u);
  EXPECT_FALSE(table.operations.at("a/b").entries.contains(Key{64}));
  const auto third = table.operations.at("a/b").entries.find(Key{32});
  EXPECT_TRUE(third == table.operations.at("a/b").entries.end() || third->second.variants.empty());
}

TEST(FileStore, KeepsAFileForEachWriter) {
  const TemporaryFolder folder;
  const auto store = file_store(folder / "store");
  EXPECT_TRUE(store->read("group").empty());
  store->write("group", "w1", {{"one", "1"}, {"two", "2"}});
  store->write("group", "w1", {{"one", "11"}});
  file_store(folder / "store")->write("group", "w2", {{"three", "3"}});
  EXPECT_EQ(store->read("group"), (Store::Records{{"one", "11"}, {"three", "3"}, {"two", "2"}}));
  EXPECT_TRUE(store->read("other").empty());
  EXPECT_TRUE(std::filesystem::exists(folder / "store/group/w1.json"));
  write_text(folder / "store/group/w3.json", "[]");
  EXPECT_THROW(store->read("group"), Error);
}

TEST(FileStore, WhereNothingCanBeMade) {
  EXPECT_THROW(file_store("/proc/adaptive")->write("group", "w", {{"one", "1"}}), Error);
}

}  // namespace
}  // namespace adaptive::table

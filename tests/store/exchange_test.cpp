#include "store/exchange.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <adaptive/error.hpp>

#include "files/file_text.hpp"
#include "table/merging/shares.hpp"
#include "tests/table/sample_table.hpp"

namespace adaptive::inline v1::table {
namespace {

// A store in memory that counts writes.
class MemoryStore final : public Store {
 public:
  const Records& read(const std::string& group) override {
    if (!reachable) throw Error(ErrorCode::unavailable, "gone", name());
    return groups[group];
  }
  void write(const std::string& group, const std::string&, const Records& records) override {
    ++writes;
    for (const auto& [record, text] : records) groups[group].insert_or_assign(record, text);
    written += records.size();
  }
  std::string name() const override { return "memory"; }

  std::map<std::string, Records> groups;
  std::size_t writes = 0;   // calls
  std::size_t written = 0;  // records
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
  run(first_, measured("first", 5, 8, 20));  // only the time of the request has changed
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

TEST_F(Exchanging, AKeyOfWhichNothingHasChangedIsNotParsedAgain) {
  run(second_, measured("second", 7, 8));
  Store::Records& records = store_->groups.begin()->second;
  records["a%2Fb/m=8/broken"] = "{";
  run(first_, measured("first", 5, 16));
  EXPECT_EQ(notices_.size(), 1u);
  const Table table = run(first_, measured("first", 6, 16));
  EXPECT_TRUE(notices_.empty()) << "the broken record belongs to another key";
  EXPECT_EQ(statistics_in(table, 8).count, 7u);
  EXPECT_EQ(statistics_in(table, 16).count, 6u);
  run(second_, measured("second", 8, 8));
  EXPECT_EQ(statistics_in(run(first_, measured("first", 6, 16)), 8).count, 8u);
  EXPECT_EQ(notices_.size(), 1u);
  records.erase("a%2Fb/m=8/broken");
  records.erase("a%2Fb/m=8/second");
  EXPECT_FALSE(run(first_, measured("first", 6, 16)).operations.at("a/b").entries.contains(Key{8}));
}

TEST_F(Exchanging, AStoreIsToldThatAWriterLivesThoughNothingHasChanged) {
  run(first_, measured("first", 5, 8));
  run(first_, measured("first", 5, 8));
  EXPECT_EQ(store_->writes, 2u);
  EXPECT_EQ(store_->written, 1u);
}

class FileStore : public testing::Test {
 protected:
  using Records = Store::Records;
  std::filesystem::path path(const std::string& file) const { return folder_ / ("store/group/" + file); }
  std::shared_ptr<Store> store(Retention retention = {}) const {
    return file_store(folder_ / "store", retention);
  }
  void age(const std::string& file, std::chrono::seconds by) const {
    std::filesystem::last_write_time(path(file), std::filesystem::last_write_time(path(file)) - by);
  }
  std::size_t count_files() const {
    return static_cast<std::size_t>(std::distance(
        std::filesystem::directory_iterator(folder_ / "store/group"), std::filesystem::directory_iterator()));
  }
  const TemporaryFolder folder_;
};

TEST_F(FileStore, KeepsAFileForEachWriter) {
  const auto first = store();
  EXPECT_TRUE(first->read("group").empty());
  first->write("group", "w1", {{"one", "1"}, {"two", "2"}});
  first->write("group", "w1", {{"one", "11"}});
  store()->write("group", "w2", {{"three", "3"}});
  EXPECT_EQ(first->read("group"), (Records{{"one", "11"}, {"three", "3"}, {"two", "2"}}));
  EXPECT_TRUE(first->read("other").empty());
  EXPECT_TRUE(std::filesystem::exists(path("w1.json")));
  store()->write("group", "w1", {{"two", "22"}});
  EXPECT_EQ(first->read("group"), (Records{{"one", "11"}, {"three", "3"}, {"two", "22"}}))
      << "a later process of the same name adds to what there is";
}

TEST_F(FileStore, ADamagedFileIsLeftOutAndTold) {
  const auto first = store();
  first->write("group", "w1", {{"one", "1"}});
  write_text(path("w2.json"), "[]");
  write_text(path("w3.json"), "{\"three\": ");
  write_text(path("w4.json"), "{\"four\": \"4\", \"five\": 5}");
  std::filesystem::create_directory(path("w5.json"));
  EXPECT_EQ(first->read("group"), (Records{{"four", "4"}, {"one", "1"}}));
  ASSERT_EQ(first->problems().size(), 4u);
  EXPECT_EQ(first->problems()[0], (Store::Problem{path("w2.json").string(), "is not a file of a store"}));
  EXPECT_EQ(first->problems()[2].what, "1 records are not texts");
  first->read("group");
  EXPECT_EQ(first->problems().size(), 4u) << "as long as it is there";
  store()->write("group", "w2", {{"two", "2"}});
  EXPECT_EQ(first->read("group"), (Records{{"four", "4"}, {"one", "1"}, {"two", "2"}}));
  EXPECT_EQ(first->problems().size(), 3u);
}

TEST_F(FileStore, AnyNameOfAWriterIsAFileOfItsOwnInTheFolder) {
  const std::vector<std::string> writers = {"",
                                            ".",
                                            "..",
                                            "../up",
                                            "/tmp/x",
                                            "a/b",
                                            "aB",
                                            "ab",
                                            "a%b",
                                            ".x",
                                            "nul\n\x01\xff",
                                            std::string(300, 'W'),
                                            std::string(300, 'W') + "x"};
  for (std::size_t i = 0; i < writers.size(); ++i)
    store()->write("group", writers[i], {{std::to_string(i), "1"}});
  EXPECT_EQ(store()->read("group").size(), writers.size());
  EXPECT_EQ(count_files(), writers.size());
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "store/group")) {
    std::string name = file.path().filename().string();
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_TRUE(names.insert(name).second) << name << ": upper and lower case may be the same";
  }
  store()->write("../other", "w", {{"x", "1"}});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "other"));
  EXPECT_EQ(store()->read("../other").size(), 1u);
}

TEST_F(FileStore, ReadsAFileAgainOnlyWhereItHasChanged) {
  const auto first = store();
  store()->write("group", "w1", {{"one", "1"}});
  store()->write("group", "w2", {{"two", "2"}});
  first->read("group");
  // The content of the file is replaced, and its time and size are restored. Only a reader of the content
  // notices.
  const auto time = std::filesystem::last_write_time(path("w1.json"));
  std::string text = read_text(path("w1.json"));
  text.replace(text.find("\"1\""), 3, "\"9\"");
  write_text(path("w1.json"), text);
  std::filesystem::last_write_time(path("w1.json"), time);
  store()->write("group", "w2", {{"two", "22"}});
  EXPECT_EQ(first->read("group"), (Records{{"one", "1"}, {"two", "22"}}));
  std::filesystem::remove(path("w2.json"));
  EXPECT_EQ(first->read("group"), (Records{{"one", "1"}}));
}

TEST_F(FileStore, FilesOfDeadWritersAreRemoved) {
  store()->write("group", "dead", {{"one", "1"}});
  store()->write("group", "alive", {{"two", "2"}});
  write_text(path(".dead.json.17.0.tmp"), "{");
  const auto first = store({.unused = std::chrono::hours(1)});
  first->write("group", "own", {{"three", "3"}});
  EXPECT_EQ(count_files(), 4u);
  for (const char* file : {"dead.json", ".dead.json.17.0.tmp"}) age(file, std::chrono::hours(2));
  first->write("group", "own", {});
  EXPECT_EQ(count_files(), 4u) << "who writes nothing removes nothing";
  first->write("group", "own", {{"three", "33"}});
  EXPECT_EQ(first->read("group"), (Records{{"three", "33"}, {"two", "2"}}));
  EXPECT_EQ(count_files(), 2u);
}

TEST_F(FileStore, BeyondItsNumberTheLongestUnusedAreRemoved) {
  for (int i = 0; i < 6; ++i) {
    const std::string writer = "w" + std::to_string(i);
    store()->write("group", writer, {{writer, "1"}});
    age(writer + ".json", std::chrono::hours(10 - i));
  }
  const auto first = store({.writers = 3});
  first->write("group", "own", {{"own", "1"}});
  EXPECT_EQ(first->read("group"), (Records{{"own", "1"}, {"w4", "1"}, {"w5", "1"}}));
}

TEST_F(FileStore, AWriterThatLivesRenewsItsFile) {
  const auto first = store({.unused = std::chrono::seconds(1)});
  first->write("group", "own", {{"one", "1"}});
  age("own.json", std::chrono::hours(1));
  const auto before = std::filesystem::last_write_time(path("own.json"));
  while (std::filesystem::last_write_time(path("own.json")) == before) first->write("group", "own", {});
  std::filesystem::remove(path("own.json"));
  first->write("group", "own", {});
  EXPECT_TRUE(first->read("group").empty());
}

TEST_F(FileStore, RefusesAnImpossibleRetention) {
  EXPECT_THROW(store({.unused = std::chrono::seconds(-1)}), Error);
  EXPECT_THROW(store({.writers = 0}), Error);
}

TEST_F(FileStore, WhereNothingCanBeMadeAWriteIsAnError) {
  EXPECT_THROW(file_store("/proc/adaptive")->write("group", "w", {{"one", "1"}}), Error);
}

}  // namespace
}  // namespace adaptive::table

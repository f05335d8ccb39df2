#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

constexpr std::chrono::hours never{1000};

Saver* signalled = nullptr;

/// A store in memory whose answers the test determines.
class MemoryStore final : public Store {
 public:
  const Records& read(const std::string&) override {
    if (before_read) before_read();
    if (!reachable) throw Error(ErrorCode::unavailable, "gone", name());
    return records;
  }
  void write(const std::string&, const std::string&, const Records& added) override {
    for (const auto& [name, text] : added) records.insert_or_assign(name, text);
  }
  std::string name() const override { return "memory"; }

  std::uint64_t results() const {
    std::uint64_t count = 0;
    for (const auto& [name, text] : records)
      for (const auto& [operation_name, operation] : table::parse(text, name).table.operations)
        for (const auto& [key, entry] : operation.entries)
          for (const auto& [variant, record] : entry.variants) count += record.count;
    return count;
  }

  std::function<void()> before_read = {};
  std::atomic<bool> reachable = true;
  Records records;
};

class BackgroundSaving : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_ / "table.json"; }
  std::uint64_t count_in_file() const {
    std::uint64_t count = 0;
    const table::Table table = table::read(path()).table;
    for (const auto& [key, entry] : table.operations.at("op").entries)
      for (const auto& [variant, record] : entry.variants) count += record.count;
    return count;
  }
  void measure(int times = 1) {
    for (int i = 0; i < times; ++i) operation_.record({64}, 0, std::chrono::microseconds(3));
  }
  // Has no limit of its own: the time limit of the test applies.
  template <class F>
  static void wait_for(const F& condition) {
    while (!condition()) std::this_thread::yield();
  }

  const test::ScratchFolder folder_;
  Selector selector_{test::options()};
  Operation& operation_ = selector_.define(test::operation({"a", "b"}));
};

TEST_F(BackgroundSaving, HappensAtItsEnd) {
  {
    const Saver saver(selector_, {.path = path(), .interval = never});
    measure(5);
    EXPECT_FALSE(std::filesystem::exists(path()));
  }
  EXPECT_EQ(count_in_file(), 5u);
}

TEST_F(BackgroundSaving, WhatIsRecordedDuringTheLastRoundIsKept) {
  const auto store = std::make_shared<MemoryStore>();
  std::atomic<bool> in_round = false;
  std::atomic<bool> ending = false;
  bool is_first = true;
  // The first exchange has taken its snapshot. It ends only after the saver has begun to end.
  store->before_read = [&] {
    if (!std::exchange(is_first, false)) return;
    in_round = true;
    wait_for([&] { return ending.load(); });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  };
  {
    Saver saver(selector_, {.path = path(), .store = store, .interval = never});
    measure(2);
    saver.request();
    wait_for([&] { return in_round.load(); });
    measure(3);
    ending = true;
  }
  EXPECT_EQ(store->results(), 5u);
  EXPECT_EQ(count_in_file(), 5u);
}

TEST_F(BackgroundSaving, ARequestAndTheEndTryAStoreThatCouldNotBeReached) {
  const auto store = std::make_shared<MemoryStore>();
  store->reachable = false;
  {
    Saver saver(selector_, {.store = store, .interval = never});
    measure(4);
    for (std::uint64_t attempts = 1; attempts <= 6; ++attempts) {
      saver.request();
      wait_for([&] { return saver.status().exchanges_failed == attempts; });
    }
    store->reachable = true;
  }
  EXPECT_EQ(store->results(), 4u);
}

TEST_F(BackgroundSaving, HappensAtEveryInterval) {
  const Saver saver(selector_, {.path = path(), .interval = std::chrono::milliseconds(1)});
  measure();
  wait_for([&] { return saver.status().saved == 1; });
  measure();
  wait_for([&] { return saver.status().saved == 2; });
  EXPECT_EQ(count_in_file(), 2u);
}

TEST_F(BackgroundSaving, NothingNewIsNotSaved) {
  const Saver saver(selector_, {.path = path(), .interval = std::chrono::milliseconds(1)});
  wait_for([&] { return saver.status().unchanged >= 3; });
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(saver.status().saved, 0u);
}

TEST_F(BackgroundSaving, HappensWhenASignalAsksForIt) {
  Saver saver(selector_, {.path = path(), .interval = never});
  signalled = &saver;
  const auto old = std::signal(SIGUSR1, [](int) { signalled->request(); });
  measure();
  std::raise(SIGUSR1);
  wait_for([&] { return saver.status().saved == 1; });
  std::signal(SIGUSR1, old);
  EXPECT_EQ(count_in_file(), 1u);
}

TEST_F(BackgroundSaving, AFailureIsToldAndTriedAgain) {
  const std::filesystem::path there = folder_ / "later";
  Saver saver(selector_, {.path = there / "table.json", .interval = never});
  measure();
  EXPECT_THROW(saver.save(), Error);
  saver.request();
  wait_for([&] { return saver.status().failed == 2; });
  EXPECT_NE(saver.status().error.find("table.json"), std::string::npos);
  std::filesystem::create_directory(there);
  saver.request();
  wait_for([&] { return saver.status().saved == 1; });
  EXPECT_EQ(saver.status().error, "");
}

TEST_F(BackgroundSaving, ManySaversShareOneTable) {
  Selector other(test::options());
  Operation& same = other.define(test::operation({"a", "b"}));
  for (int i = 0; i < 5; ++i) {
    Saver first(selector_, {.path = path(), .interval = never});
    Saver second(other, {.path = path(), .interval = never});
    measure(3);
    same.record({64}, 1, std::chrono::microseconds(4));
    first.save();
    second.save();
  }
  EXPECT_EQ(count_in_file(), 20u);
}

TEST_F(BackgroundSaving, SharesThroughAStore) {
  const auto exchanged = [](const Saver& saver, std::uint64_t times) {
    return saver.status().exchanged >= times;
  };
  Selector other(test::options());
  Operation& same = other.define(test::operation({"a", "b"}));
  same.record({64}, 1, std::chrono::microseconds(4));
  same.record({4096}, 1, std::chrono::microseconds(4));
  { const Saver saver(other, {.store = file_store(folder_ / "store"), .interval = never}); }
  measure(3);
  Saver saver(selector_, {.path = path(), .store = file_store(folder_ / "store"), .interval = never});
  saver.request();
  wait_for([&] { return exchanged(saver, 1) && saver.status().saved == 1; });
  EXPECT_EQ(count_in_file(), 5u);
  // A key that is new to this run starts from the result of the other run.
  EXPECT_EQ(operation_.explain({4096}).match.kind, MatchKind::exact);
}

TEST_F(BackgroundSaving, ADamagedFileOfAStoreIsSaidOnceAndTheOthersAreShared) {
  Selector other(test::options());
  other.define(test::operation({"a", "b"})).record({64}, 1, std::chrono::microseconds(4));
  { const Saver saver(other, {.store = file_store(folder_ / "store"), .interval = never}); }
  const std::filesystem::path group = *std::filesystem::directory_iterator(folder_ / "store");
  std::ofstream(group / "damaged.json") << "{\"op/m=64/w\": ";
  test::Log log;
  SelectorOptions options = test::options();
  options.log = log.callback();
  Selector selector(options);
  selector.define(test::operation({"a", "b"}));
  Saver saver(selector, {.path = path(), .store = file_store(folder_ / "store"), .interval = never});
  for (std::uint64_t times = 1; times <= 3; ++times) {
    saver.request();
    wait_for([&] { return saver.status().exchanged == times; });
  }
  saver.save();
  EXPECT_EQ(count_in_file(), 1u);
  EXPECT_EQ(log.count("damaged.json", LogLevel::warning), 1u) << log.text();
}

TEST_F(BackgroundSaving, AnOutageIsSaidOnceAndTheRunGoesOn) {
  std::ofstream(folder_ / "store") << "a file where a folder should be";
  std::atomic<int> said = 0;
  SelectorOptions options = test::options();
  options.log = [&](LogLevel level, std::string_view line) {
    if (level == LogLevel::warning && line.find("not shared") != std::string_view::npos) ++said;
  };
  Selector selector(options);
  selector.define(test::operation({"a", "b"})).record({64}, 0, std::chrono::microseconds(3));
  Saver saver(
      selector,
      {.path = path(), .store = file_store(folder_ / "store"), .interval = std::chrono::milliseconds(1)});
  wait_for([&] { return saver.status().exchanges_failed >= 4; });
  EXPECT_EQ(said, 1);
  EXPECT_EQ(count_in_file(), 1u);
  std::filesystem::remove(folder_ / "store");
  wait_for([&] { return saver.status().exchanged >= 1; });
}

TEST_F(BackgroundSaving, RefusesWrongOptions) {
  EXPECT_THROW(Saver(selector_, {}), Error);
  EXPECT_THROW(Saver(selector_, {.path = path(), .interval = std::chrono::milliseconds(0)}), Error);
}

}  // namespace
}  // namespace adaptive

// Tests that a forked child starts from its parent's knowledge and saves its own measurements.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <string>

#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

// Returns whether `body` returned true in a forked child.
template <class F>
bool in_a_child(const F& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    bool fine = false;
    try {
      fine = body();
    } catch (const std::exception&) {
      fine = false;
    }
    ::_exit(fine ? 0 : 1);
  }
  int status = 1;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

class Forking : public testing::Test {
 protected:
  void record(std::uint32_t variant, double ns, int times, const Key& key = {64}) {
    for (int i = 0; i < times; ++i) op_.record(key, variant, Latency(ns));
  }
  table::OperationTable saved() const { return table::read(path_).table.operations.at("op"); }

  const test::ScratchFolder folder_;
  const std::filesystem::path path_ = folder_ / "table.json";
  Selector selector_{test::options_with_worker()};
  Operation& op_ = selector_.define(test::operation({"a", "b"}));
};

TEST_F(Forking, AChildSavesItsOwnResultsAlone) {
  record(0, 50'000.0, 100);
  record(0, 50'000.0, 100, {4096});
  EXPECT_TRUE(in_a_child([&] {
    record(0, 1000.0, 10);
    selector_.save(path_);
    return true;
  }));
  const table::OperationTable of_child = saved();
  const table::VariantRecord& record = of_child.entries.at(Key{64}).variants.at("a");
  EXPECT_EQ(record.count, 10u);
  EXPECT_DOUBLE_EQ(record.mean_ns, 1000.0);
  EXPECT_DOUBLE_EQ(record.location_ns, 1000.0);
  EXPECT_FALSE(of_child.entries.contains(Key{4096})) << "only the parent has measured that key";
  selector_.save(path_);
  EXPECT_EQ(saved().entries.at(Key{64}).variants.at("a").count, 110u);
  EXPECT_EQ(saved().entries.at(Key{64}).variants.at("a").shares.size(), 2u);
}

TEST_F(Forking, EachChildIsAWriterOfItsOwn) {
  record(0, 1000.0, 5);
  selector_.save(path_);
  for (int child = 0; child < 3; ++child)
    EXPECT_TRUE(in_a_child([&] {
      record(0, 1000.0, 1);
      selector_.save(path_);
      record(0, 1000.0, 1);
      // A grandchild.
      return in_a_child([&] {
               record(0, 1000.0, 1);
               selector_.save(path_);
               return true;
             }) &&
             (selector_.save(path_), true);
    }));
  selector_.save(path_);
  EXPECT_EQ(saved().entries.at(Key{64}).variants.at("a").count, 5u + 3u * 3u);
  EXPECT_EQ(saved().entries.at(Key{64}).variants.at("a").shares.size(), 7u);
}

TEST_F(Forking, AChildStartsFromWhatItsParentKnew) {
  test::learn(op_, {64}, {300, 100});
  ASSERT_EQ(test::incumbent(op_, {64}), 1u);
  EXPECT_TRUE(in_a_child([&] {
    const bool before = op_.select({64}).variant() == 1;
    record(1, 100.0, 1);
    const Explanation why = op_.explain({64});
    return before && why.source == "the parent process" && why.incumbent == "b" &&
           why.candidates.at(1).count == 1 && why.candidates.at(0).count == 0 &&
           why.candidates.at(0).seed_ns > 290.0 && op_.select({64}).variant() == 1 &&
           op_.pin({64}).variant() == 1;
  }));
}

TEST_F(Forking, AFailureOfTheParentStandsInTheChildButIsNotItsOwn) {
  test::learn(op_, {64}, {300, 100});
  {
    const Forced forced = op_.force("b");
    op_.fail(op_.select({64}));
  }
  EXPECT_TRUE(in_a_child([&] {
    record(0, 300.0, 1);
    bool runs_b = false;
    for (int i = 0; i < 200; ++i) runs_b = runs_b || op_.select({64}).variant() == 1;
    selector_.save(path_);
    return !runs_b;
  }));
  EXPECT_FALSE(saved().entries.at(Key{64}).variants.contains("b"));
}

TEST_F(Forking, AResultOfALaunchBeforeTheForkIsTheParents) {
  const Decision decision = op_.select({64});
  ASSERT_TRUE(decision.timed());
  EXPECT_TRUE(in_a_child([&] {
    op_.record(decision, Latency(1000.0));
    return op_.counters().results == 0 && op_.counters().results_expired == 1;
  }));
  op_.record(decision, Latency(1000.0));
  EXPECT_EQ(op_.counters().results, 1u);
}

}  // namespace
}  // namespace adaptive

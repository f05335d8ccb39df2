// Tests that ranks with the same tables and epoch make the same choices, whatever each of them measures.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

OperationSpec variants() {
  return test::operation({"a", "b", "c"});
}

/// The selector of one process. Ranks differ in their seeds, in the costs of launches, and in the order of
/// their keys.
struct Rank {
  explicit Rank(std::uint64_t number, const std::filesystem::path& table = {}) : random(number) {
    SelectorOptions options = test::options();
    options.rank_consistent = true;
    options.seed = number;
    if (!table.empty()) options.tables.places = {table};
    selector = std::make_unique<Selector>(options);
    op = &selector->define(variants());
  }

  void work(int calls) {
    for (int i = 0; i < calls; ++i) {
      const Decision decision = op->select({1 + random.below(300)});
      if (decision.timed()) op->record(decision, Latency(100.0 * (1.0 + random.uniform())));
    }
  }
  std::vector<std::uint32_t> choices() const {
    std::vector<std::uint32_t> all;
    for (std::int64_t m = 1; m <= 300; ++m) all.push_back(op->select({m}).variant());
    return all;
  }

  Random random;
  std::unique_ptr<Selector> selector;
  Operation* op = nullptr;
};

/// Writes a table of powers of two, in which one variant is the fastest for small keys and another one for
/// large keys.
void write_table(const std::filesystem::path& path, std::vector<double> small_ns,
                 std::vector<double> large_ns) {
  Selector tuner(test::options());
  Operation& op = tuner.define(variants());
  for (std::int64_t m = 1; m <= 256; m *= 2) test::learn(op, {m}, m <= 16 ? small_ns : large_ns);
  tuner.save(path);
}

TEST(RankConsistent, TheSameTablesGiveTheSameChoices) {
  const test::ScratchFolder folder;
  write_table(folder / "table.json", {100, 200, 300}, {300, 100, 200});
  Rank first(1, folder / "table.json");
  Rank second(2, folder / "table.json");
  const std::vector<std::uint32_t> begun = Rank(3, folder / "table.json").choices();
  EXPECT_NE(std::count(begun.begin(), begun.end(), 0U), 300) << "the table says something";
  first.work(20'000);
  second.work(5'000);
  EXPECT_EQ(first.choices(), begun);
  EXPECT_EQ(second.choices(), begun);
  EXPECT_GT(first.op->counters().results, 0U) << "what runs is timed all the same";
  EXPECT_EQ(first.selector->epoch(), 0U);
}

TEST(RankConsistent, ChangesOnlyAtAnAnnouncedEpoch) {
  const test::ScratchFolder folder;
  write_table(folder / "old.json", {100, 200, 300}, {300, 100, 200});
  write_table(folder / "new.json", {300, 200, 100}, {100, 200, 300});
  Rank first(1, folder / "old.json");
  Rank second(2, folder / "old.json");
  first.work(5'000);
  second.work(500);
  const std::vector<std::uint32_t> before = first.choices();
  const Pin pin = first.op->pin({256});
  for (Rank* rank : {&first, &second}) rank->selector->advance_epoch(folder / "new.json");
  EXPECT_TRUE(pin.stale());
  EXPECT_NE(first.choices(), before);
  EXPECT_EQ(first.choices(), second.choices());
  EXPECT_EQ(first.op->select({256}).variant(), 0U);
  EXPECT_EQ(first.selector->epoch(), 1U);
  EXPECT_EQ(second.selector->epoch(), 1U);
}

TEST(RankConsistent, ThreadsOfARankChooseAlike) {
  const test::ScratchFolder folder;
  write_table(folder / "table.json", {100, 200, 300}, {300, 100, 200});
  const std::vector<std::uint32_t> alone = Rank(1, folder / "table.json").choices();
  Rank rank(2, folder / "table.json");
  std::vector<std::vector<std::uint32_t>> seen(4);
  std::vector<std::thread> threads;
  for (auto& choices : seen) threads.emplace_back([&rank, &choices] { choices = rank.choices(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& choices : seen) EXPECT_EQ(choices, alone);
}

TEST(RankConsistent, ADisabledVariantIsReplacedByWhatTheTablesSay) {
  const test::ScratchFolder folder;
  write_table(folder / "table.json", {100, 200, 300}, {300, 100, 200});
  Rank first(1, folder / "table.json");
  Rank second(2, folder / "table.json");
  first.work(5'000);
  for (Rank* rank : {&first, &second}) rank->op->enable("b", false);
  EXPECT_EQ(first.choices(), second.choices());
  EXPECT_EQ(first.op->select({256}).variant(), 2U);
}

TEST(RankConsistent, AnnouncingNeedsTheMode) {
  const test::ScratchFolder folder;
  write_table(folder / "table.json", {100, 200, 300}, {300, 100, 200});
  Selector selector(test::options());
  EXPECT_THROW(selector.advance_epoch(folder / "table.json"), Error);
  Rank rank(1);
  EXPECT_THROW(rank.selector->advance_epoch(folder / "none.json"), Error);
  EXPECT_EQ(rank.selector->epoch(), 0U);
}

TEST(RankConsistent, ATableThatGivesNothingIsAnErrorAndChangesNothing) {
  const test::ScratchFolder folder;
  write_table(folder / "table.json", {100, 200, 300}, {300, 100, 200});
  const auto save = [&](const char* name, Fingerprint device, const OperationSpec& spec) {
    SelectorOptions options = test::options();
    options.device = std::move(device);
    Selector tuner(options);
    test::learn(tuner.define(spec), {64}, {300, 200, 100});
    tuner.save(folder / name);
  };
  const Fingerprint here{.device = "Test Device 1"};
  save("kind.json", {.device = "Test Device 1", .libraries = {{"compute_capability", "9.0"}}}, variants());
  save("device.json", {.device = "Test Device 2"}, variants());
  save("driver.json", {.device = "Test Device 1", .driver = "580.1"}, variants());
  save("operation.json", here, test::operation({"a", "b", "c"}, "other"));
  save("variants.json", here, test::operation({"x", "y", "z"}));
  OperationSpec other_key = variants();
  other_key.dimensions = {size_dimension("n")};
  save("dimensions.json", here, other_key);

  SelectorOptions options = test::options();
  options.rank_consistent = true;
  options.device.driver = "590.1";
  options.device.libraries = {{"instruction_sets", "avx2"}};
  options.tables.places = {folder / "table.json"};
  Selector selector(options);
  Operation& op = selector.define(variants());
  const Pin pin = op.pin({64});
  const std::uint32_t before = pin.variant();
  for (const char* name :
       {"kind.json", "device.json", "driver.json", "operation.json", "variants.json", "dimensions.json"})
    EXPECT_THROW(selector.advance_epoch(folder / name), Error) << name;
  EXPECT_EQ(selector.epoch(), 0U);
  EXPECT_FALSE(pin.stale());
  EXPECT_EQ(op.select({64}).variant(), before);
  EXPECT_EQ(op.select({128}).variant(), before) << "a new key starts from the old tables as well";

  save("new.json", here, variants());
  selector.advance_epoch(folder / "new.json");
  EXPECT_EQ(selector.epoch(), 1U);
  EXPECT_EQ(op.select({64}).variant(), 2U);
}

}  // namespace
}  // namespace adaptive

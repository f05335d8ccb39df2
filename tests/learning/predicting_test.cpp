// A key that nobody has measured starts from a model of those that somebody has.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

/// The larger the tile, the later it is the best.
std::vector<double> tiles_ns(std::int64_t m) {
  std::vector<double> ns;
  for (const double tile : {16.0, 64.0, 256.0})
    ns.push_back(1'000.0 + std::ceil(static_cast<double>(m) / tile) * (600.0 + 10.0 * tile));
  return ns;
}

OperationSpec tiles() {
  OperationSpec spec = test::operation({"16", "64", "256"});
  for (Variant& variant : spec.variants) variant.parameters = {{"tile_m", std::stoi(variant.name)}};
  spec.nearest_limit = 0.25;
  return spec;
}

void learn_powers_of_two(Operation& op, std::int64_t to) {
  for (std::int64_t m = 1; m <= to; m *= 2) test::learn(op, {m}, tiles_ns(m));
}

TEST(Predicted, ByTheModelOfAllKeysOnceItIsProven) {
  Selector selector(test::options());
  OperationSpec spec = tiles();
  spec.dimensions.push_back(size_dimension("n"));
  const auto ns = [](std::int64_t m, std::int64_t n) {
    std::vector<double> result;
    for (const double tile : {16.0, 64.0, 256.0})
      result.push_back(std::pow(static_cast<double>(m * n), 0.8) * (1.0 + tile / 400.0 + 8.0 / tile));
    return result;
  };
  Operation& op = selector.define(spec);
  for (std::int64_t m = 1; m <= 256; m *= 4)
    for (std::int64_t n = 64; n <= 4096; n *= 4) test::learn(op, {m, n}, ns(m, n));
  selector.fit_predictions();
  for (const std::int64_t m : {5, 100}) {
    const std::uint32_t first = op.select({m, 700}).variant();
    const Explanation why = op.explain({m, 700});
    EXPECT_EQ(why.match.kind, MatchKind::predicted) << why;
    EXPECT_EQ(why.incumbent, "64") << why;
    EXPECT_EQ(first, 1U) << why;
    EXPECT_NE(why.reason.find("a model from 20 known keys"), std::string::npos) << why.reason;
    for (std::size_t v = 0; v < 3; ++v)
      EXPECT_NEAR(why.candidates.at(v).seed_ns / ns(m, 700)[v], 1.0, 0.3) << why;
  }
}

TEST(Predicted, FromKeysOfThisRun) {
  Selector selector(test::options());
  Operation& op = selector.define(tiles());
  learn_powers_of_two(op, 16'384);
  selector.fit_predictions();
  for (const std::int64_t m : {3, 1'500, 12'000}) {
    op.select({m});
    const Explanation why = op.explain({m});
    EXPECT_EQ(why.match.kind, MatchKind::predicted) << m;
    EXPECT_GT(why.match.deviation, 0.0);
    EXPECT_LT(why.match.deviation, 0.5);
    const std::vector<double> ns = tiles_ns(m);
    const auto best = std::min_element(ns.begin(), ns.end()) - ns.begin();
    EXPECT_LT(ns[static_cast<std::size_t>(op.find_variant(why.incumbent).value())],
              1.1 * ns[static_cast<std::size_t>(best)])
        << why;
  }
}

TEST(Predicted, FromATableOfThisDeviceAndOfAnother) {
  const test::ScratchFolder folder;
  Selector tuner(test::options());
  learn_powers_of_two(tuner.define(tiles()), 16'384);
  tuner.save(folder / "table.json");
  for (const char* device : {"Test Device 1", "Another Device"}) {
    SelectorOptions options = test::options();
    options.device.device = device;
    options.tables.places = {folder / "table.json"};
    Selector selector(options);
    const Explanation why = selector.define(tiles()).explain({1'500});
    EXPECT_EQ(why.match.kind, MatchKind::predicted);
    EXPECT_EQ(why.incumbent, "256") << why;
    if (std::string_view(device) != "Test Device 1") {
      EXPECT_GT(why.match.deviation, 0.15) << "another device's variants may compare otherwise";
    }
  }
}

TEST(Predicted, AlsoForAKeyThatBeganBeforeTheModelWasProven) {
  Selector selector(test::options());
  Operation& op = selector.define(tiles());
  const Decision first = op.select({12'000});
  op.record(first, Latency(tiles_ns(12'000)[first.variant()]));
  ASSERT_EQ(op.explain({12'000}).match.kind, MatchKind::fallback);
  const Pin pin = op.pin({12'000});
  ASSERT_EQ(pin.variant(), 0U) << "the default";
  learn_powers_of_two(op, 16'384);
  selector.learn();
  const Explanation why = op.explain({12'000});
  EXPECT_EQ(why.match.kind, MatchKind::predicted) << why;
  EXPECT_EQ(why.incumbent, "256") << why;
  EXPECT_TRUE(pin.stale()) << "a launch that lasts follows";
}

TEST(Predicted, AlsoIfAVariantWasAddedMeanwhile) {
  Selector selector(test::options());
  Operation& op = selector.define(tiles());
  const Decision first = op.select({12'000});
  op.record(first, Latency(tiles_ns(12'000)[first.variant()]));
  op.add_variant({.name = "512", .parameters = {{"tile_m", 512}}});
  learn_powers_of_two(op, 16'384);
  selector.learn();
  const Explanation why = op.explain({12'000});
  EXPECT_EQ(why.match.kind, MatchKind::predicted) << why;
  ASSERT_EQ(why.candidates.size(), 4U);
  EXPECT_GT(why.candidates[3].seed_ns, 0.0) << "the model speaks of the new variant, too";
}

TEST(Predicted, InModesThatLearnNothingNoKeyBeginsLate) {
  Selector selector(test::options());
  Operation& op = selector.define(tiles());
  const Decision first = op.select({12'000});
  op.record(first, Latency(tiles_ns(12'000)[first.variant()]));
  learn_powers_of_two(op, 16'384);
  selector.set_mode(Mode::frozen);
  selector.learn();
  EXPECT_EQ(op.explain({12'000}).match.kind, MatchKind::fallback);
  EXPECT_EQ(op.explain({12'000}).incumbent, "16");
}

TEST(Predicted, ExplainSaysHowSure) {
  Selector selector(test::options());
  Operation& op = selector.define(tiles());
  learn_powers_of_two(op, 16'384);
  selector.fit_predictions();
  op.select({1'500});
  const Explanation why = op.explain({1'500});
  EXPECT_NE(why.reason.find("a model from"), std::string::npos) << why.reason;
  for (const Explanation::Candidate& c : why.candidates) {
    EXPECT_GT(c.seed_ns, 0.0);
    EXPECT_GT(c.seed_deviation, 0.0);
  }
  EXPECT_NE(why.text().find("+-"), std::string::npos);
}

TEST(Predicted, NotWhereItIsSwitchedOffOrNothingMayBeBorrowed) {
  SelectorOptions options = test::options();
  options.learning.prediction = false;
  Selector without(options);
  Operation& off = without.define(tiles());
  learn_powers_of_two(off, 16'384);
  without.fit_predictions();
  EXPECT_EQ(off.explain({1'500}).match.kind, MatchKind::fallback);

  Selector selector(test::options());
  OperationSpec spec = tiles();
  spec.nearest_limit = -1.0;
  Operation& never = selector.define(spec);
  learn_powers_of_two(never, 16'384);
  selector.fit_predictions();
  never.select({1'500});
  EXPECT_EQ(never.explain({1'500}).match.kind, MatchKind::fallback);
}

TEST(Predicted, OnlyWhatWasFittedAsksForIt) {
  Selector selector(test::options());
  Operation& op = selector.define(tiles());
  learn_powers_of_two(op, 16'384);
  op.select({1'500});
  EXPECT_EQ(op.explain({1'500}).match.kind, MatchKind::fallback) << "a launch fits nothing";
  selector.fit_predictions();
  op.select({1'501});
  EXPECT_EQ(op.explain({1'501}).match.kind, MatchKind::predicted);
}

TEST(Predicted, FromWhatWasKnownWhenTheRunWasSaved) {
  const test::ScratchFolder folder;
  Selector selector(test::options());
  Operation& op = selector.define(tiles());
  learn_powers_of_two(op, 16'384);
  selector.save(folder / "table.json");
  selector.learn();
  op.select({1'500});
  EXPECT_EQ(op.explain({1'500}).match.kind, MatchKind::predicted);
}

TEST(Predicted, FromWhatOtherProcessesHaveMeasured) {
  const test::ScratchFolder folder;
  const std::shared_ptr<Store> store = file_store(folder / "store");
  const SaverOptions asked{.store = store, .interval = std::chrono::hours(1000)};
  Selector theirs(test::options());
  learn_powers_of_two(theirs.define(tiles()), 16'384);
  { const Saver at_its_end(theirs, asked); }

  Selector ours(test::options());
  Operation& op = ours.define(tiles());
  Saver saver(ours, asked);
  saver.request();
  while (saver.status().exchanged == 0) std::this_thread::yield();
  ours.learn();
  EXPECT_EQ(op.explain({1'500}).match.kind, MatchKind::predicted);
}

TEST(Predicted, AnExactEntryGoesFirst) {
  const test::ScratchFolder folder;
  Selector tuner(test::options());
  learn_powers_of_two(tuner.define(tiles()), 16'384);
  tuner.save(folder / "table.json");
  SelectorOptions options = test::options();
  options.tables.places = {folder / "table.json"};
  Selector selector(options);
  EXPECT_EQ(selector.define(tiles()).explain({1'024}).match.kind, MatchKind::exact);
}

}  // namespace
}  // namespace adaptive

// Tests tuning runs: tables, resuming, budgets, several devices.
#include "tuning/tuner.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <adaptive/selector.hpp>

#include "table/comparing/apply.hpp"
#include "tests/base/effort.hpp"
#include "tests/table/sample_table.hpp"
#include "tests/tuning/fake_target.hpp"
#include "tuning/cuda_operation.hpp"
#include "tuning/measuring/isolated_target.hpp"

namespace adaptive::inline v1::tuning {
namespace {

using kernels::Shape;

constexpr std::int64_t now = 1'700'000'000;

std::string table_text(const TuneResult& result) {
  return table::print(to_table(result, now));
}

TuneResult run(FakeDevice& device, TrialLog& log, const TuneOptions& options = {}) {
  FakeTarget target(device);
  return tune({&target}, target.bench_shapes(), log, options);
}

TEST(Tune, MakesATableOfAllShapes) {
  FakeDevice device;
  TrialLog log;
  const TuneResult result = run(device, log);
  EXPECT_EQ(result.count_done(), 5u);
  const table::Table table = to_table(result, now);
  EXPECT_EQ(table.fingerprint.device, device.name);
  const table::OperationTable& operation = table.operations.at("fake");
  EXPECT_EQ(operation.entries.size(), 5u);
  for (const auto& [key, entry] : operation.entries) {
    EXPECT_EQ(entry.incumbent, "fast");
    EXPECT_EQ(entry.origin, table::Origin::measured);
    EXPECT_EQ(entry.time, now);
    EXPECT_EQ(entry.variants.size(), 4u);
    EXPECT_GT(entry.variants.at("fast").count, 5u);
    EXPECT_GT(entry.variants.at("fast").variance_ns2, 0.0);
  }
  EXPECT_TRUE(table::parse(table::print(table), "test").notices.empty());
}

// The runtime must find and use the table: it starts from the tuned variant, by an exact match.
TEST(Tune, TheRuntimeStartsFromItsTable) {
  const table::TemporaryFolder folder;
  FakeDevice device;
  TrialLog log;
  table::write(to_table(run(device, log), now), folder / "tuned.json");
  Selector selector(
      {.device = {.device = device.name}, .tables = {.places = {folder.path()}}, .use_environment = false});
  FakeTarget target(device);
  OperationSpec spec{.name = "fake"};
  for (const kernels::Dimension& dimension : target.dimensions())
    spec.dimensions.push_back(dimension_of(dimension));
  for (const FakeCandidate& candidate : device.candidates) spec.variants.push_back({.name = candidate.name});
  Operation& operation = selector.define(std::move(spec));
  for (const Shape& shape : target.bench_shapes()) {
    EXPECT_EQ(operation.variant(operation.select(key_of(shape)).variant()).name, "fast");
    EXPECT_EQ(operation.explain(key_of(shape)).match.kind, MatchKind::exact);
  }
  EXPECT_EQ(operation.explain({20, 64, 0}).match.kind, MatchKind::nearest);
}

std::set<std::string> distinct(const TrialLog& log) {
  FakeDevice device;
  const FakeTarget target(device);
  std::set<std::string> rows;
  for (const Shape& shape : target.bench_shapes())
    for (const TrialRow& row : log.rows("fake", kernels::to_string(target.dimensions(), shape)))
      rows.insert(to_csv(row));
  return rows;
}

/// Simulates kill -9 before a trial: nothing of the current round is kept.
struct Killed {};

// Tests the tuner's guarantee: if a run is killed at any moment and resumed, it ends with the table of an
// undisturbed run, and only the round that was interrupted is measured twice.
TEST(Tune, ResumesAfterAKillAtAnyMoment) {
  FakeDevice undisturbed;
  TrialLog whole;
  const std::string expected = table_text(run(undisturbed, whole));
  const std::size_t trials = undisturbed.trials;
  Random random(3);
  for (int round = 0; round < test::inputs(12, 4); ++round) {
    const table::TemporaryFolder folder;
    const auto path = folder / "trials.csv";
    FakeDevice device;
    std::size_t lost = 0;
    for (int kills = 0; kills < 10; ++kills) {
      const std::size_t before = device.trials;
      std::size_t until = random.below(60);
      for (FakeCandidate& candidate : device.candidates)
        candidate.in_round = [&] {
          if (until-- == 0) throw Killed();
        };
      try {
        TrialLog log(path);
        run(device, log);
      } catch (const Killed&) {
        lost += device.candidates.size();  // at most the interrupted round
      }
      // Some kills happen in the middle of a write.
      const std::string text = table::file_text(path);
      if (kills % 3 == 2) table::write_text(path, text.substr(0, text.size() - random.below(30)));
      EXPECT_GE(device.trials, before);
    }
    for (FakeCandidate& candidate : device.candidates) candidate.in_round = {};
    TrialLog log(path);
    EXPECT_EQ(table_text(run(device, log)), expected);
    EXPECT_LE(device.trials, trials + lost + 10 * device.candidates.size());
    EXPECT_EQ(distinct(log), distinct(whole)) << "no round more and none less";
  }
}

TEST(Tune, AFinishedRunIsToldAgainWithoutItsDevice) {
  FakeDevice device;
  TrialLog log;
  const TuneResult result = run(device, log);
  const std::size_t trials = device.trials;
  mark_best(log, result);
  for (const TunedShape& shape : result.shapes) {
    const TunedShape retold = retell(log, "fake", shape.name, {});
    ASSERT_TRUE(retold.done);
    EXPECT_EQ(retold.race.best, shape.race.best);
    EXPECT_EQ(retold.race.gain(), shape.race.gain());
    EXPECT_EQ(retold.operations, 2000.0);
  }
  EXPECT_FALSE(retell(log, "fake", "m=77", {}).done);
  EXPECT_EQ(device.trials, trials);
  EXPECT_EQ(table_text(run(device, log)), table_text(result));
  EXPECT_EQ(device.trials, trials);
}

// The winner of the shape m=64.
std::string best_of(const TuneResult& result) {
  return to_table(result, now).operations.at("fake").entries.at({64, 64, 0}).incumbent;
}

TEST(Tune, ARunThatAnUpgradeInterruptsRacesTheNewCandidatesOnly) {
  for (const double seconds_max : {5.0, 1e9}) {  // in the middle, and at its end
    FakeDevice old;
    TrialLog log;
    double seconds = 0.0;
    TuneOptions options{.seconds_max = seconds_max, .clock = [&] { return seconds += 0.1; }};
    run(old, log, options);

    FakeDevice upgraded;
    upgraded.candidates = {{"default", 20.0}, {"newer", 5.0}, {"fast", 10.0}, {"close", 10.4}};
    const TuneResult result = run(upgraded, log);
    EXPECT_EQ(result.count_done(), 5u);
    EXPECT_EQ(best_of(result), "newer");
    EXPECT_GT(upgraded.rounds_of["newer"], 0);
    if (seconds_max > 5.0) {
      for (const TunedShape& shape : result.shapes) EXPECT_TRUE(shape.relisted) << shape.name;
      FakeDevice fresh;
      fresh.candidates = upgraded.candidates;
      TrialLog own;
      run(fresh, own);
      EXPECT_LT(upgraded.rounds_of["close"], fresh.rounds_of["close"]) << "their results of the race count";
    }
    const std::size_t trials = upgraded.trials;
    const TuneResult again = run(upgraded, log);
    EXPECT_EQ(upgraded.trials, trials) << "once only";
    EXPECT_EQ(table_text(again), table_text(result));
    for (const TunedShape& shape : again.shapes) EXPECT_FALSE(shape.relisted) << shape.name;
  }
}

TEST(Tune, AfterAnUpgradeAVariantThatIsGoneOrChangedCountsNoMore) {
  FakeDevice old;
  TrialLog log;
  EXPECT_EQ(best_of(run(old, log)), "fast");

  FakeDevice without;
  without.candidates = {{"default", 20.0}, {"slow", 40.0}, {"close", 10.4}};
  EXPECT_EQ(best_of(run(without, log)), "close");

  FakeDevice changed;
  changed.candidates = {
      {"default", 20.0}, {"slow", 2.0, TrialStatus::ok, {}, {{"tile", 64}}}, {"close", 10.4}};
  EXPECT_EQ(best_of(run(changed, log)), "slow") << "it has the name of an old one only";
}

TEST(Tune, EndsWithItsTimeAndGoesOnLater) {
  FakeDevice device;
  TrialLog log;
  double seconds = 0.0;
  TuneOptions options{.seconds_max = 5.0, .clock = [&] { return seconds += 0.1; }};
  const TuneResult part = run(device, log, options);
  EXPECT_GT(part.count_done(), 0u);
  EXPECT_LT(part.count_done(), 5u);
  EXPECT_EQ(to_table(part, now).operations.at("fake").entries.size(), part.count_done());
  FakeDevice other;
  TrialLog whole;
  EXPECT_EQ(table_text(run(device, log)), table_text(run(other, whole)));
}

TEST(Tune, StoresNothingWhereAllFail) {
  FakeDevice device;
  for (FakeCandidate& candidate : device.candidates) candidate.check = TrialStatus::wrong;
  device.candidates[0].check = TrialStatus::failed;
  TrialLog log;
  const TuneResult result = run(device, log);
  EXPECT_EQ(result.count_done(), 5u);
  EXPECT_TRUE(to_table(result, now).operations.empty());
  const auto failures = result.failures();
  EXPECT_EQ(failures.at(TrialStatus::wrong), 15u);
  EXPECT_EQ(failures.at(TrialStatus::failed), 5u);
}

TEST(Tune, DoesNotTryLargerShapesThanThoseOutOfMemory) {
  FakeDevice device;
  std::vector<std::int64_t> opened;
  device.opening = [&](const Shape& shape) {
    opened.push_back(shape[0]);
    if (shape[0] >= 64) throw OpenError(TrialStatus::out_of_memory, "out of memory");
  };
  TrialLog log;
  const TuneResult result = run(device, log);
  EXPECT_EQ(opened, (std::vector<std::int64_t>{1, 16, 64, 1024}))
      << "256 is as large as 64; 1024 is of another type";
  EXPECT_EQ(result.failures().at(TrialStatus::out_of_memory), 3u);
  EXPECT_EQ(to_table(result, now).operations.at("fake").entries.size(), 2u);
  opened.clear();
  run(device, log);
  EXPECT_TRUE(opened.empty()) << "a failure is remembered like any other trial";
}

TEST(Tune, KnowsWhatIsMissing) {
  FakeDevice device;
  FakeTarget target(device);
  TrialLog log;
  table::Table table = to_table(tune({&target}, {{1, 64, 0}, {16, 64, 0}}, log), now);
  EXPECT_EQ(missing_shapes(table, target, {{1, 64, 0}, {2, 64, 0}, {16, 64, 0}, {16, 64, 1}}),
            (std::vector<Shape>{{2, 64, 0}, {16, 64, 1}}));
  EXPECT_EQ(missing_shapes({}, target, {{1, 64, 0}}).size(), 1u);
}

TEST(Tune, KnowsWhichCandidatesAreNewToATable) {
  FakeDevice device;
  FakeTarget target(device);
  TrialLog log;
  const std::vector<Shape> shapes = {{1, 64, 0}, {16, 64, 0}};
  const table::Table table = to_table(tune({&target}, shapes, log), now);
  EXPECT_TRUE(new_candidates(table, target, shapes, {}).empty());
  device.candidates.push_back({"newer", 5.0, TrialStatus::ok, {}, {{"tile", 8}}});
  const auto only = new_candidates(table, target, {{1, 64, 0}, {2, 64, 0}}, {});
  ASSERT_EQ(only.size(), 1u) << "a shape that the table lacks is raced as a whole";
  EXPECT_EQ(only.at({1, 64, 0}), (std::vector<std::string>{"newer", "fast"}));
  EXPECT_TRUE(new_candidates(table, target, shapes, {.parameters = {{"tile", {Parameter(16)}}}}).empty());

  // The new candidate, the incumbent and the default are raced; nothing else is.
  TrialLog again;
  device.rounds_of.clear();
  const TuneResult result = tune({&target}, {{1, 64, 0}}, again, {.only = only});
  EXPECT_EQ(to_table(result, now).operations.at("fake").entries.begin()->second.incumbent, "newer");
  EXPECT_FALSE(device.rounds_of.contains("slow"));
  EXPECT_FALSE(device.rounds_of.contains("close"));
}

TEST(Tune, ACandidateThatFailsIsKnown) {
  FakeDevice device;
  device.candidates.push_back({"broken", 5.0, TrialStatus::wrong});
  FakeTarget target(device);
  TrialLog log;
  const table::Table table = to_table(tune({&target}, {{1, 64, 0}}, log), now);
  const table::Entry& entry = table.operations.at("fake").entries.begin()->second;
  EXPECT_EQ(entry.variants.at("broken").failures, 1u);
  EXPECT_EQ(entry.variants.at("broken").failed_at, now);
  EXPECT_TRUE(new_candidates(table, target, {{1, 64, 0}}, {}).empty());
}

// One shape has been raced with the new variant, which the table therefore declares; the other has not.
TEST(Tune, AVariantIsNewToEachShapeByItself) {
  FakeDevice device;
  FakeTarget target(device);
  TrialLog log, later;
  const std::vector<Shape> shapes = {{1, 64, 0}, {16, 64, 0}};
  table::Table table = to_table(tune({&target}, shapes, log), now);
  device.candidates.push_back({"newer", 5.0});
  table::apply(table, to_table(tune({&target}, {{1, 64, 0}}, later), now + 1), table::Known::replaced);
  const auto only = new_candidates(table, target, shapes, {});
  ASSERT_EQ(only.size(), 1u);
  EXPECT_EQ(only.at({16, 64, 0}), (std::vector<std::string>{"newer", "fast"}));

  // A program that adapts its table knows what the table declares.
  for (auto& [key, entry] : table.operations.at("fake").entries) entry.origin = table::Origin::adapted;
  EXPECT_TRUE(new_candidates(table, target, shapes, {}).empty());
}

TEST(Tune, CandidatesBeyondTheLimitAreNotNew) {
  FakeDevice device;
  FakeTarget target(device);
  TrialLog log;
  const SearchSpace space{.candidates_max = 2};
  const table::Table table = to_table(tune({&target}, {{1, 64, 0}}, log, {.space = space}), now);
  EXPECT_TRUE(new_candidates(table, target, {{1, 64, 0}}, space).empty());
  EXPECT_EQ(new_candidates(table, target, {{1, 64, 0}}, {}).at({1, 64, 0}),
            (std::vector<std::string>{"slow", "close", "fast"}));
}

TEST(Tune, MatchesDimensionsAndLabelsOfATableByName) {
  FakeDevice device;
  FakeTarget target(device);
  // The same operation, written by another program with another order of dimensions and of labels.
  table::Table table;
  table::OperationTable& operation = table.operations["fake"];
  operation.name = "fake";
  operation.dimensions = {label_dimension("dtype", {"y", "x"}), size_dimension("n"), size_dimension("m")};
  operation.variants["fast"] = {};
  for (const Key& key : {Key{1, 64, 1}, Key{0, 64, 16}}) {
    table::Entry& entry = operation.entries[key];
    entry.key = key;
    entry.incumbent = "fast";
  }
  EXPECT_EQ(missing_shapes(table, target, {{1, 64, 0}, {1, 64, 1}, {16, 64, 0}, {16, 64, 1}, {64, 1, 1}}),
            (std::vector<Shape>{{1, 64, 1}, {16, 64, 0}, {64, 1, 1}}));
  operation.dimensions[1].name = "other";
  EXPECT_EQ(missing_shapes(table, target, {{1, 64, 0}}).size(), 1u) << "keys that mean something else";
}

TEST(Tune, SplitsTheWorkOverDevices) {
  FakeDevice one, two, three;
  two.name = "Another Device";
  FakeTarget a(one), b(two), c(three);
  TrialLog log;
  const TuneResult result = tune({&a, &b, &c}, a.bench_shapes(), log);
  EXPECT_EQ(result.count_done(), 5u);
  EXPECT_EQ(two.trials, 0u) << "a table is of one kind of device";
  EXPECT_EQ(result.left_out.size(), 1u);
  EXPECT_EQ(result.left_out.count(1), 1u);
  FakeDevice alone;
  TrialLog other;
  EXPECT_EQ(table_text(result), table_text(run(alone, other)));
}

TEST(Tune, LeavesOutADeviceThatFails) {
  FakeDevice sound, broken;
  broken.opening = [](const Shape&) { throw DeviceError("fell off the bus"); };
  FakeTarget a(broken), b(sound);
  TrialLog log;
  const TuneResult result = tune({&a, &b}, b.bench_shapes(), log);
  EXPECT_EQ(result.count_done(), 5u);
  EXPECT_EQ(broken.trials, 0u);

  TrialLog nothing;
  const TuneResult none = tune({&a}, a.bench_shapes(), nothing);
  EXPECT_EQ(none.count_done(), 0u);
  EXPECT_EQ(none.left_out.at(0), "fell off the bus");
}

// Simulates --devices all, which runs each device in a process of its own. One device never answers, one is
// of another kind, and one fails when it gets a shape.
TEST(Tune, OfDevicesInProcessesThoseThatFailAreLeftOut) {
  FakeDevice mute, other, failing, sound;
  mute.answers = false;
  other.name = "Another Device";
  void* const memory =
      ::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::atomic<bool>& failed = *new (memory) std::atomic<bool>(false);
  failing.opening = [&](const Shape&) {
    failed = true;
    throw DeviceError("fell off the bus");
  };
  sound.opening = [&](const Shape&) {
    while (!failed)
      std::this_thread::yield();  // otherwise one device might finish all shapes before another one starts
  };
  std::vector<std::unique_ptr<Target>> targets;
  for (FakeDevice* device : {&mute, &failing, &other, &sound})
    targets.push_back(std::make_unique<IsolatedTarget>(
        std::make_shared<FakeTarget>(*device), [device] { return std::make_unique<FakeTarget>(*device); }));
  std::vector<Target*> devices;
  for (const auto& target : targets) devices.push_back(target.get());
  EXPECT_EQ(fingerprint_of(devices).device, failing.name);

  class Observer final : public TuneObserver {
   public:
    void device_left_out(std::size_t device, const std::string& why) override { told[device] = why; }
    std::map<std::size_t, std::string> told;
  } observer;
  TrialLog log;
  const TuneResult result = tune(devices, targets[0]->bench_shapes(), log, {}, &observer);
  EXPECT_EQ(result.count_done(), 5u);
  EXPECT_EQ(result.left_out, observer.told);
  EXPECT_EQ(result.left_out.at(0), "does not answer");
  EXPECT_NE(result.left_out.at(2).find("differs from the first device"), std::string::npos);
  EXPECT_EQ(result.left_out.at(1), "fell off the bus");
  EXPECT_FALSE(result.left_out.contains(3));
  FakeDevice alone;
  TrialLog whole;
  EXPECT_EQ(table_text(result), table_text(run(alone, whole)));
  EXPECT_THROW(fingerprint_of({devices[0]}), DeviceError);
  ::munmap(memory, sizeof(std::atomic<bool>));
}

TEST(Tune, TellsItsObserver) {
  class Observer final : public TuneObserver {
   public:
    void shape_begins(std::size_t) override { ++begun; }
    void progress(std::size_t, const RaceProgress& progress) override {
      if (progress.leader_us > 0.0) leader = progress.leader;
    }
    void shape_ends(std::size_t, const TunedShape& shape) override { ended += shape.done ? 1 : 0; }
    bool stop() override { return ended == 2; }
    int begun = 0, ended = 0;
    std::string leader;
  } observer;
  FakeDevice device;
  FakeTarget target(device);
  TrialLog log;
  const TuneResult result = tune({&target}, target.bench_shapes(), log, {}, &observer);
  EXPECT_EQ(observer.ended, 2);
  EXPECT_EQ(result.count_done(), 2u);
  EXPECT_EQ(observer.leader, "fast");
}

}  // namespace
}  // namespace adaptive::tuning

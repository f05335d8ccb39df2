// Tests trials.csv: what is written, what is read back, and what a killed process leaves.
#include "tuning/trial_log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include <adaptive/error.hpp>

#include "tests/table/sample_table.hpp"
#include "tests/tuning/fake_target.hpp"
#include "tuning/bench/logged_bench.hpp"

namespace adaptive::inline v1::tuning {
namespace {

TrialRow row(std::string shape, std::string variant, int round,
             Trial trial = {.latency_us = 12.345678901234567}) {
  return {.operation = "op",
          .shape = std::move(shape),
          .variant = std::move(variant),
          .phase = "race",
          .round = round,
          .trial = std::move(trial)};
}

TEST(TrialLog, ReadsBackWhatItWrote) {
  const table::TemporaryFolder folder;
  const auto path = folder / "trials.csv";
  std::vector<TrialRow> rows = {
      row("m=1", "a,\"b\"", 0),
      row("m=1", "c", 1, {.status = TrialStatus::crashed, .detail = "signal 11, core\nlost"})};
  rows[0].parameters = {{"tile", 64}, {"scale", 0.5}, {"whole", 2.0}, {"on", true}, {"kind", "it's a \\ b"}};
  TrialLog(path).append(rows);
  std::vector<TrialRow> expected = rows;
  expected[1].trial.detail = "signal 11, core lost";
  std::size_t skipped = 0;
  EXPECT_EQ(read_trials(path, &skipped), expected);
  EXPECT_EQ(skipped, 0u);
  const TrialLog again(path);
  EXPECT_EQ(again.rows("op", "m=1"), expected);
  EXPECT_TRUE(again.rows("op", "m=2").empty());
}

TEST(TrialLog, IgnoresTheLineThatAKillCutOff) {
  const table::TemporaryFolder folder;
  const auto path = folder / "trials.csv";
  TrialLog(path).append({row("m=1", "a", 0), row("m=1", "b", 0)});
  std::string text = table::file_text(path);
  table::write_text(path, text.substr(0, text.size() - 9));
  std::size_t skipped = 0;
  EXPECT_EQ(read_trials(path, &skipped).size(), 1u);
  EXPECT_EQ(skipped, 1u);
  TrialLog(path).append({row("m=1", "b", 0)});
  EXPECT_EQ(table::file_text(path), text) << "the torn end is gone";
}

TEST(TrialLog, MarksTheBestAtTheEndAndGoesOn) {
  const table::TemporaryFolder folder;
  const auto path = folder / "trials.csv";
  TrialLog log(path);
  log.append({row("m=1", "a", 0), row("m=1", "b", 0), row("m=2", "a", 0)});
  log.finish({{{"op", "m=1"}, "b"}});
  std::vector<TrialRow> rows = read_trials(path);
  EXPECT_FALSE(rows[0].is_best);
  EXPECT_TRUE(rows[1].is_best);
  EXPECT_FALSE(rows[2].is_best);
  log.append({row("m=2", "b", 0)});
  EXPECT_EQ(read_trials(path).size(), 4u);
}

TEST(TrialLog, RefusesAFileThatIsNone) {
  const table::TemporaryFolder folder;
  table::write_text(folder / "other.csv", "a,b\n1,2\n");
  EXPECT_THROW(TrialLog(folder / "other.csv"), Error);
  EXPECT_THROW(TrialLog(folder / "no-such-folder" / "trials.csv"), Error);
}

TEST(Parameters, AreReadBackFromTheirText) {
  const Parameters parameters = {{"a", 1},         {"b", -2.5}, {"c", 3.0},  {"d", false},
                                 {"e", "x y='z'"}, {"f", ""},   {"g", 1e300}};
  EXPECT_EQ(parse_parameters(to_string(parameters)), parameters);
  EXPECT_EQ(to_string(Parameters{{"tile", 64}, {"kind", "avx2"}}), "kind='avx2' tile=64");
  for (const char* wrong : {"a", "=1", "a=", "a=1x", "a='b", "a=--1"})
    EXPECT_THROW(parse_parameters(wrong), Error) << wrong;
}

TEST(LoggedBench, NeverMeasuresWhatTheLogHolds) {
  FakeDevice device;
  FakeTarget target(device);
  TrialLog log;
  const auto open = [&] { return target.open({1, 64, 0}); };
  std::vector<Trial> first;
  {
    LoggedBench bench(log, "fake", "m=1", open);
    bench.check(0);
    first = bench.round({.phase = "race", .index = 0, .order = {1, 0, 2}});
    EXPECT_EQ(bench.measured(), 4u);
  }
  const std::size_t before = device.trials;
  LoggedBench bench(log, "fake", "m=1", open);
  EXPECT_EQ(bench.candidates().size(), 4u);
  EXPECT_EQ(bench.operations(), 2000.0);
  EXPECT_EQ(bench.round({.phase = "race", .index = 0, .order = {1, 0, 2}}), first);
  EXPECT_EQ(device.trials, before);
  bench.round({.phase = "race", .index = 1, .order = {0, 1}});
  EXPECT_EQ(bench.measured(), 2u);
}

TEST(LoggedBench, RefusesOtherCandidates) {
  FakeDevice device;
  FakeTarget target(device);
  TrialLog log;
  LoggedBench(log, "fake", "m=1", [&] { return target.open({1, 64, 0}); }).candidates();
  device.candidates.pop_back();
  LoggedBench bench(log, "fake", "m=1", [&] { return target.open({1, 64, 0}); });
  EXPECT_THROW(bench.check(0), Error);
}

}  // namespace
}  // namespace adaptive::tuning

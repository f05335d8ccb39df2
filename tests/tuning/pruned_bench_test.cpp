// Tests which candidates are not tried, and why.
#include "tuning/bench/pruned_bench.hpp"

#include <gtest/gtest.h>

#include "tests/tuning/fake_target.hpp"
#include "tuning/race.hpp"

namespace adaptive::inline v1::tuning {
namespace {

std::vector<std::string> names(const SearchSpace& space) {
  FakeDevice device;
  device.candidates = {{.name = "default", .parameters = {{"tile", 8}}},
                       {.name = "tile64", .parameters = {{"tile", 64}}},
                       {.name = "tile128", .parameters = {{"tile", 128}}},
                       {.name = "lib"}};
  FakeTarget target(device);
  const MemoryDominance memory(target.dimensions());
  PrunedBench bench(target.open({1, 64, 0}), {1, 64, 0}, space, memory);
  std::vector<std::string> result;
  for (const Candidate& candidate : bench.candidates()) result.push_back(candidate.name);
  return result;
}

TEST(SearchSpace, KeepsTheDefaultAndWhatItNames) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({}).size(), 4u);
  EXPECT_EQ(names({.parameters = {{"tile", {64}}}}), (Names{"default", "tile64", "lib"}));
  EXPECT_EQ(names({.variants = {"tile*"}}), (Names{"default", "tile64", "tile128"}));
  EXPECT_EQ(names({.variants = {"*128", "lib"}}), (Names{"default", "tile128", "lib"}));
  EXPECT_EQ(names({.candidates_max = 2}), (Names{"default", "tile64"}));
  EXPECT_EQ(names({.variants = {"nothing"}}), (Names{"default"}));
}

// A program that does not mix numeric classes would not run the winner of another class.
TEST(SearchSpace, MayStayWithinTheNumericClassOfTheDefault) {
  FakeDevice device;
  device.candidates = {{.name = "default", .us = 20.0, .numeric_class = "plain"},
                       {.name = "fastest", .us = 5.0, .numeric_class = "fma"},
                       {.name = "alike", .us = 10.0, .numeric_class = "plain"},
                       {.name = "unnamed", .us = 6.0}};
  FakeTarget target(device);
  const MemoryDominance memory(target.dimensions());
  const auto winner = [&](const SearchSpace& space) {
    PrunedBench bench(target.open({1, 64, 0}), {1, 64, 0}, space, memory);
    const RaceResult result = race(bench, {});
    return result.contestants.at(result.best.value()).candidate.name;
  };
  EXPECT_EQ(winner({}), "fastest");
  EXPECT_EQ(winner({.mix_numeric_classes = false}), "alike");
  EXPECT_EQ(winner({.mix_numeric_classes = false, .candidates_max = 2}), "alike")
      << "candidates of another class do not count";
}

TEST(SearchSpace, LeavesOutWhatNeedsTooMuchMemory) {
  FakeDevice device;
  device.candidates = {{.name = "default", .us = 20.0, .memory = 3000},
                       {.name = "packed", .us = 5.0, .memory = 2001},
                       {.name = "lean", .us = 10.0, .memory = 2000}};
  FakeTarget target(device);
  const MemoryDominance memory(target.dimensions());
  const auto candidates = [&](std::uint64_t limit) {
    PrunedBench bench(target.open({1, 64, 0}), {1, 64, 0}, {.memory_limit = limit}, memory);
    return bench.candidates().size();
  };
  EXPECT_EQ(candidates(2001), 3u);
  EXPECT_EQ(candidates(2000), 2u) << "the default stays: something has to run";
}

TEST(SearchSpace, WhatNoCandidateHasIsTold) {
  using Names = std::vector<std::string>;
  const SearchSpace space{.parameters = {{"tile", {64, 65}}, {"tiel", {64}}},
                          .variants = {"tile*", "lib", "nothing*"}};
  UnusedSpace unused(space);
  EXPECT_TRUE(unused.names().empty()) << "nothing is known yet";
  unused.see({{"default", {{"tile", 8}}}, {"tile64", {{"tile", 64}}}});
  EXPECT_EQ(unused.names(), (Names{"parameter tiel", "tile=65", "variant lib", "variant nothing*"}));
  unused.see({{"default", {{"tile", 8}}}, {"lib", {}}});
  EXPECT_EQ(unused.names(), (Names{"parameter tiel", "tile=65", "variant nothing*"}));
}

TEST(PrunedBench, NumbersItsOwn) {
  FakeDevice device;
  FakeTarget target(device);
  const MemoryDominance memory(target.dimensions());
  const SearchSpace space{.variants = {"close"}};
  PrunedBench bench(target.open({1, 64, 0}), {1, 64, 0}, space, memory);
  bench.round({.phase = "race", .index = 0, .order = {1}});
  EXPECT_EQ(device.rounds_of["close"], 1);
}

TEST(MemoryDominance, HoldsForLargerSizesOfTheSameLabels) {
  FakeDevice device;
  const FakeTarget target(device);
  MemoryDominance memory(target.dimensions());
  memory.ran_out("a", {16, 64, 0});
  EXPECT_TRUE(memory.dominated_by("a", {16, 64, 0}));
  EXPECT_TRUE(memory.dominated_by("a", {32, 64, 0}));
  EXPECT_FALSE(memory.dominated_by("a", {32, 32, 0}));
  EXPECT_FALSE(memory.dominated_by("a", {8, 64, 0}));
  EXPECT_FALSE(memory.dominated_by("a", {32, 64, 1})) << "another type may need less";
  EXPECT_FALSE(memory.dominated_by("b", {32, 64, 0}));
}

TEST(PrunedBench, DoesNotTryWhatMustRunOutOfMemory) {
  FakeDevice device;
  FakeTarget target(device);
  MemoryDominance memory(target.dimensions());
  memory.ran_out("slow", {1, 64, 0});
  const SearchSpace space;
  PrunedBench bench(target.open({4, 64, 0}), {4, 64, 0}, space, memory);
  EXPECT_EQ(bench.check(2).status, TrialStatus::out_of_memory);
  EXPECT_EQ(device.trials, 0u);
  EXPECT_EQ(bench.check(1).status, TrialStatus::ok);
}

}  // namespace
}  // namespace adaptive::tuning

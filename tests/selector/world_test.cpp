// Tests when the environment makes a selector rank consistent.
#include <gtest/gtest.h>

#include <list>
#include <map>
#include <optional>
#include <string>

#include "selector/world.hpp"
#include "tests/selector/environment_variable.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

using Variables = std::map<std::string, std::string>;

/// What `make` returns in an environment in which no other variable tells of ranks.
template <class Make>
auto in_environment(const Variables& variables, Make make) {
  std::list<test::EnvironmentVariable> set;
  for (const char* name :
       {"WORLD_SIZE", "RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_SIZE", "PMI_RANK",
        "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_NTASKS", "ADAPTIVE_RANK_CONSISTENT"}) {
    const auto at = variables.find(name);
    set.emplace_back(name, at == variables.end() ? "" : at->second);
  }
  return make();
}

std::optional<World> world(const Variables& variables) {
  return in_environment(variables, [] { return world_of_environment(); });
}

bool consistent(const Variables& variables, std::optional<bool> asked = {}, bool use_environment = true) {
  return in_environment(variables, [&] {
    SelectorOptions options = test::options();
    options.use_environment = use_environment;
    options.rank_consistent = asked;
    options.log = [](LogLevel, std::string_view) {};
    return Selector(options).rank_consistent();
  });
}

TEST(WorldOfEnvironment, IsThatOfTheInnermostLauncher) {
  EXPECT_EQ(world({}), std::nullopt);
  EXPECT_EQ(world({{"WORLD_SIZE", "8"}, {"RANK", "3"}}), (World{8, 3, "WORLD_SIZE"}));
  EXPECT_EQ(world({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "0"}}),
            (World{4, 0, "OMPI_COMM_WORLD_SIZE"}));
  EXPECT_EQ(world({{"PMI_SIZE", " 2 "}, {"PMI_RANK", "1"}}), (World{2, 1, "PMI_SIZE"}));
  EXPECT_EQ(world({{"SLURM_STEP_NUM_TASKS", "16"}, {"SLURM_PROCID", "15"}}),
            (World{16, 15, "SLURM_STEP_NUM_TASKS"}));
  EXPECT_EQ(
      world(
          {{"WORLD_SIZE", "1"}, {"RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "8"}, {"OMPI_COMM_WORLD_RANK", "5"}}),
      (World{1, 0, "WORLD_SIZE"}));
}

TEST(WorldOfEnvironment, NeedsASizeAndARankThatFitEachOther) {
  EXPECT_EQ(world({{"WORLD_SIZE", "8"}}), std::nullopt);
  EXPECT_EQ(world({{"WORLD_SIZE", "8"}, {"RANK", "8"}}), std::nullopt);
  EXPECT_EQ(world({{"WORLD_SIZE", "8"}, {"RANK", "-1"}}), std::nullopt);
  EXPECT_EQ(world({{"WORLD_SIZE", "8 nodes"}, {"RANK", "0"}}), std::nullopt);
  EXPECT_EQ(world({{"WORLD_SIZE", "99999999999"}, {"RANK", "0"}}), std::nullopt);
  EXPECT_EQ(world({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}), std::nullopt)
      << "as in the script of a batch, which runs once";
}

TEST(RankConsistentByDefault, WhereThereAreSeveralRanks) {
  const Variables eight = {{"WORLD_SIZE", "8"}, {"RANK", "3"}};
  EXPECT_FALSE(consistent({}));
  EXPECT_TRUE(consistent(eight));
  EXPECT_FALSE(consistent({{"WORLD_SIZE", "1"}, {"RANK", "0"}}));
  EXPECT_FALSE(consistent(eight, {}, false)) << "the program does not want the environment to decide";
}

TEST(RankConsistentByDefault, TheProgramDecidesThenTheUser) {
  const Variables eight = {{"WORLD_SIZE", "8"}, {"RANK", "3"}};
  EXPECT_FALSE(consistent(eight, false));
  EXPECT_TRUE(consistent({}, true));
  Variables asked = eight;
  asked["ADAPTIVE_RANK_CONSISTENT"] = "0";
  EXPECT_FALSE(consistent(asked));
  EXPECT_TRUE(consistent(asked, true));
  EXPECT_TRUE(consistent({{"ADAPTIVE_RANK_CONSISTENT", "1"}}));
  asked["ADAPTIVE_RANK_CONSISTENT"] = "never";
  EXPECT_TRUE(consistent(asked)) << "what is not understood decides nothing";
}

TEST(RankConsistentByDefault, SaysWhyNothingIsExplored) {
  test::Log log;
  in_environment({{"WORLD_SIZE", "8"}, {"RANK", "3"}}, [&] {
    SelectorOptions options = test::options();
    options.use_environment = true;
    options.log = log.callback();
    Selector selector(options);
    EXPECT_EQ(log.count("one of 8 ranks (WORLD_SIZE)", LogLevel::info), 1U) << log.text();
    return 0;
  });
}

}  // namespace
}  // namespace adaptive

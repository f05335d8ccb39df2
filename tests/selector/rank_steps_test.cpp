// Tests that eight processes, which are ranks of one model, run the same variant in every step, although
// their results differ, tables change, and ranks die, lag and start again.
#include <gtest/gtest.h>

#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

extern char** environ;

namespace adaptive {
namespace {

constexpr std::uint64_t steps = 100'000;
constexpr char not_run = '\xff';

/// A process that runs some steps of a rank.
class RankProcess {
 public:
  RankProcess(const std::filesystem::path& folder, int rank, std::uint64_t first, std::uint64_t end)
      : file_(folder / ("rank" + std::to_string(rank) + "_from" + std::to_string(first))) {
    std::ofstream(file_) << std::string(end, not_run);
    std::vector<std::string> words = {
        ADAPTIVE_RANK_STEPS_PROGRAM, folder / "store",   folder, file_, std::to_string(rank),
        std::to_string(first),       std::to_string(end)};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&process_, arguments.front(), nullptr, nullptr, arguments.data(), environ), 0);
  }

  /// Waits for its end. Returns the epoch that the rank had reached.
  int epoch() const {
    int status = 0;
    EXPECT_EQ(::waitpid(process_, &status, 0), process_);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }
  /// The variant of each step.
  std::string choices() const {
    std::ifstream file(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path file_;
  ::pid_t process_ = 0;
};

/// Tables of powers of two, in which one variant is the fastest for small keys and another one for large
/// keys.
void write_tables(const std::filesystem::path& folder) {
  const std::vector<double> small_ns[] = {{100, 200, 300}, {300, 200, 100}, {200, 100, 300}, {300, 100, 200}};
  for (std::size_t i = 0; i < std::size(small_ns); ++i) {
    Selector tuner(test::options());
    Operation& op = tuner.define(test::operation({"a", "b", "c"}));
    for (std::int64_t m = 1; m <= 256; m *= 2)
      test::learn(op, {m}, m <= 16 ? small_ns[i] : small_ns[(i + 1) % std::size(small_ns)]);
    tuner.save(folder / (std::to_string(i) + ".json"));
  }
}

TEST(RankSteps, NoTwoRanksRunDifferentVariantsInOneStep) {
  const test::ScratchFolder folder;
  write_tables(folder / "");
  std::vector<RankProcess> whole;  // run all steps
  std::vector<RankProcess> interrupted;
  RankProcess zero(folder / "", 0, 0, 70'000);
  RankProcess five(folder / "", 5, 0, 40'000);
  for (const int rank : {1, 3, 4, 6, 7}) whole.emplace_back(folder / "", rank, 0, steps);
  five.epoch();
  whole.emplace_back(folder / "", 2, 0, steps);  // lags: the others are far ahead
  interrupted.push_back(five);
  interrupted.emplace_back(folder / "", 5, 36'500, steps);
  zero.epoch();  // the others wait for it at the boundary after the next one
  interrupted.push_back(zero);
  interrupted.emplace_back(folder / "", 0, 66'666, steps);

  EXPECT_EQ(interrupted[1].epoch(), 10);
  EXPECT_EQ(interrupted[3].epoch(), 10);
  std::vector<std::string> all;
  for (const RankProcess& rank : whole) {
    EXPECT_EQ(rank.epoch(), 10);
    all.push_back(rank.choices());
  }
  for (const RankProcess& rank : interrupted) all.push_back(rank.choices());

  std::map<char, int> seen;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const char expected = all.front()[step];
    ASSERT_NE(expected, not_run) << step;
    ++seen[expected];
    int ran = 0;
    for (const std::string& choices : all)
      if (step < choices.size() && choices[step] != not_run) {
        ASSERT_EQ(choices[step], expected) << step;
        ++ran;
      }
    ASSERT_GE(ran, 8) << step;
  }
  EXPECT_EQ(seen.size(), 3U) << "tables have decided on each of the variants";
}

}  // namespace
}  // namespace adaptive

// Tests that processes with the same tables and epoch make the same choices, although each has its own
// memory, seed and measurements.
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

/// Writes a table of powers of two, in which one variant is the fastest for small keys and another one for
/// large keys.
void write_table(const std::filesystem::path& path, const std::vector<double>& small_ns,
                 const std::vector<double>& large_ns) {
  Selector tuner(test::options());
  Operation& op = tuner.define(test::operation({"a", "b", "c"}));
  for (std::int64_t m = 1; m <= 256; m *= 2) test::learn(op, {m}, m <= 16 ? small_ns : large_ns);
  tuner.save(path);
}

/// Starts all processes before it waits for the first, so that they run at the same time.
class Ranks {
 public:
  Ranks(const std::filesystem::path& old_table, const std::filesystem::path& new_table, int count) {
    for (int number = 1; number <= count; ++number) {
      std::string command = "'" ADAPTIVE_RANK_PROGRAM "'";
      for (const std::string& argument : {old_table.string(), new_table.string(), std::to_string(number)})
        command.append(" '").append(argument).append("'");
      pipes_.push_back(::popen(command.c_str(), "r"));
    }
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  ~Ranks() {
    for (FILE* pipe : pipes_)
      if (pipe != nullptr) ::pclose(pipe);
  }

  /// The output of each process.
  std::vector<std::string> said() {
    std::vector<std::string> all;
    for (FILE*& pipe : pipes_) {
      if (pipe == nullptr) {
        ADD_FAILURE() << "a rank could not be started";
        continue;
      }
      all.emplace_back();
      std::array<char, 256> part{};
      while (std::fgets(part.data(), part.size(), pipe) != nullptr) all.back() += part.data();
      const int status = ::pclose(pipe);
      pipe = nullptr;
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    return all;
  }

 private:
  std::vector<FILE*> pipes_;
};

TEST(RankProcesses, ChooseAlikeBeforeAndAfterAnEpoch) {
  const test::ScratchFolder folder;
  write_table(folder / "old.json", {100, 200, 300}, {300, 100, 200});
  write_table(folder / "new.json", {300, 200, 100}, {100, 200, 300});
  const std::vector<std::string> said = Ranks(folder / "old.json", folder / "new.json", 4).said();
  ASSERT_EQ(said.size(), 4U);
  for (const std::string& rank : said) EXPECT_EQ(rank, said.front());

  constexpr std::size_t keys = 300;
  ASSERT_EQ(said.front().size(), 2 * (keys + 1) + 2);
  const std::string before = said.front().substr(0, keys);
  const std::string after = said.front().substr(keys + 1, keys);
  EXPECT_EQ(before[15], '0') << "what the tables say of m = 16";
  EXPECT_EQ(before[255], '1');
  EXPECT_EQ(after[15], '2') << "promoted at the epoch";
  EXPECT_EQ(after[255], '0');
  EXPECT_EQ(said.front().substr(2 * (keys + 1)), "1\n");
}

}  // namespace
}  // namespace adaptive

// Ranks of one job as processes: a program that is started several times, each writing the variant of every
// step into a file.
#pragma once

#include <gtest/gtest.h>

#include <spawn.h>
#include <sys/wait.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/selector/support.hpp"

extern char** environ;

namespace adaptive::test {

constexpr char not_run = '\xff';

/// A process that runs some steps of a rank, with the arguments of rank_steps_program.
class RankProcess {
 public:
  RankProcess(const std::string& program, const std::filesystem::path& folder, int rank, std::uint64_t first,
              std::uint64_t end)
      : file_(folder / ("rank" + std::to_string(rank) + "_from" + std::to_string(first))) {
    std::ofstream(file_) << std::string(end, not_run);
    std::vector<std::string> words = {program,
                                      folder / "store",
                                      folder,
                                      file_,
                                      std::to_string(rank),
                                      std::to_string(first),
                                      std::to_string(end)};
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
inline void write_rank_tables(const std::filesystem::path& folder) {
  const std::vector<double> small_ns[] = {{100, 200, 300}, {300, 200, 100}, {200, 100, 300}, {300, 100, 200}};
  for (std::size_t i = 0; i < std::size(small_ns); ++i) {
    Selector tuner(options());
    Operation& op = tuner.define(operation({"a", "b", "c"}));
    for (std::int64_t m = 1; m <= 256; m *= 2)
      learn(op, {m}, m <= 16 ? small_ns[i] : small_ns[(i + 1) % std::size(small_ns)]);
    tuner.save(folder / (std::to_string(i) + ".json"));
  }
}

}  // namespace adaptive::test

// Many processes change one table and are killed while they do so. No change is lost and no table is damaged.
//
// With ADAPTIVE_STRESS=1 in the environment there are 1,000 kills and 8 processes with 200 saves each;
// otherwise there are few of both.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sample_table.hpp"
#include "table/merging/shares.hpp"
#include "table/update.hpp"
#include "tests/base/effort.hpp"

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;

bool stress() {
  return std::getenv("ADAPTIVE_STRESS") != nullptr;
}

const Key key{0, 0};

// Saves the state of `writer` after its save number `count`.
void save(const fs::path& path, const std::string& writer, std::uint64_t count) {
  update(path, [&](Table& table) {
    if (table.operations.empty()) table = large_table(300);
    join(table.operations.at("matmul").entries.at(key).variants["tile64"],
         record_of(writer, {count, 100.0, 0.0, 100.0, 0}));
    return true;
  });
}

// Returns the count of each writer. Fails if anything in the file is faulty.
std::map<std::string, std::uint64_t> saved(const fs::path& path) {
  const ReadResult read = table::read(path);
  EXPECT_TRUE(read.notices.empty()) << read.notices.front().where << ": " << read.notices.front().what;
  EXPECT_EQ(read.table.operations.at("matmul").entries.size(), 300u);
  std::map<std::string, std::uint64_t> counts;
  for (const WriterShare& share :
       read.table.operations.at("matmul").entries.at(key).variants.at("tile64").shares)
    counts[share.writer] = share.statistics.count;
  return counts;
}

template <class F>
pid_t start(const F& body) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int result = 1;
  try {
    body();
    result = 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
  }
  ::_exit(result);
}

TEST(Writers, NoUpdateIsLost) {
  const int processes = stress() ? 8 : 4;
  const std::uint64_t saves = stress() ? 200 : static_cast<std::uint64_t>(test::inputs(15));
  const TemporaryFolder folder;
  const fs::path path = folder / "t.json";
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i)
    children.push_back(start([&] {
      for (std::uint64_t count = 1; count <= saves; ++count) save(path, "w" + std::to_string(i), count);
    }));
  int reads = 0;
  for (const pid_t child : children) {
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      if (!fs::exists(path)) continue;
      saved(path);
      ++reads;
    }
    EXPECT_EQ(status, 0);
  }
  const auto counts = saved(path);
  for (int i = 0; i < processes; ++i) EXPECT_EQ(counts.at("w" + std::to_string(i)), saves);
  EXPECT_EQ(folder.count(), 1u);  // neither locks nor temporary files
  if (stress())
    std::printf("%d processes of %d saves each, %d reads meanwhile\n", processes, int(saves), reads);
}

// A process that saves without pause and reports the number of each completed save.
struct Saver {
  Saver(const fs::path& path, const std::string& writer, std::uint64_t first) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    child = start([&] {
      for (std::uint64_t count = first;; ++count) {
        save(path, writer, count);
        if (::write(ends[1], &count, sizeof count) != sizeof count) return;
      }
    });
    ::close(ends[1]);
    acknowledged = ends[0];
  }
  std::uint64_t wait() const {
    std::uint64_t count = 0;
    return ::read(acknowledged, &count, sizeof count) == sizeof count ? count : 0;
  }
  // Kills the process and returns the number of the last completed save.
  std::uint64_t kill() const {
    ::kill(child, SIGKILL);
    std::uint64_t last = 0;
    while (const std::uint64_t count = wait()) last = count;
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(acknowledged);
    return last;
  }
  pid_t child = 0;
  int acknowledged = -1;
};

TEST(Writers, AKillAtAnyMomentLeavesAWholeTable) {
  const int kills = stress() ? 1000 : test::inputs(30);
  const TemporaryFolder folder;
  const fs::path path = folder / "t.json";
  save(path, "first", 1);
  std::mt19937 random(29);
  std::uint64_t done = 0;
  int within = 0;
  for (int i = 0; i < kills; ++i) {
    const Saver saver(path, "killed", done + 1);
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_EQ(saver.wait(), done + 1);
    const auto one_save = std::chrono::steady_clock::now() - begin;
    // Kills at a random moment during the next saves. The loop does not wait for an event, so any moment is
    // valid.
    const auto end = std::chrono::steady_clock::now() + one_save * (random() % 2000) / 1000;
    while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
    const std::uint64_t acknowledged = std::max(done + 1, saver.kill());
    within += folder.count() > 1 ? 1 : 0;  // the process has left a lock or a temporary file
    const auto counts = saved(path);
    ASSERT_EQ(counts.at("first"), 1u);
    // A completed save stays. One more save may have reached the disk already.
    ASSERT_GE(counts.at("killed"), acknowledged);
    ASSERT_LE(counts.at("killed"), acknowledged + 1);
    done = counts.at("killed");
  }
  save(path, "last", 1);
  EXPECT_EQ(folder.count(), 1u);  // the files of killed processes are gone
  if (stress()) std::printf("%d kills, %d of them within a save\n", kills, within);
  EXPECT_GT(within, 0);  // otherwise the test has tested nothing
}

}  // namespace
}  // namespace adaptive::table

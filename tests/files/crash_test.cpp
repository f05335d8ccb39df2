// Tests that a process that is killed while it writes leaves either the old or the new table.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <thread>

#include "files/atomic_file.hpp"
#include "table/table.hpp"
#include "tests/base/effort.hpp"
#include "tests/table/sample_table.hpp"

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

TEST(Crash, AtAnyMomentTheFileIsWhole) {
  constexpr int kills = test::inputs(50);
  constexpr std::chrono::nanoseconds longest =
      std::chrono::milliseconds(20);  // bounds the test on a slow disk
  const TemporaryFolder folder;
  const fs::path path = folder / "t.json";
  const std::string one_text = print(large_table(500, 1)), other_text = print(large_table(700, 2));
  write_atomically(path, one_text);

  std::mt19937 random(17);
  int changed = 0;
  std::string last = one_text;
  for (int i = 0; i < kills; ++i) {
    int done[2];
    ASSERT_EQ(::pipe(done), 0);
    const Clock::time_point begin = Clock::now();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int n = i;; ++n) {
        write_atomically(path, n % 2 == 0 ? other_text : one_text);
        // Only the first byte is read; the pipe cannot become full in the child's lifetime.
        const char byte = 1;
        if (::write(done[1], &byte, 1) != 1) ::_exit(1);
      }
    }
    char byte = 0;
    ASSERT_EQ(::read(done[0], &byte, 1), 1);
    // Kills the child at some moment during its next writes, however long they take. The exact moment does
    // not matter.
    const auto one_write = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin);
    const double writes = static_cast<double>(random() % 3000) / 1000.0;
    const Clock::time_point end =
        begin + std::chrono::duration_cast<Clock::duration>(std::min(one_write, longest) * (1.0 + writes));
    while (Clock::now() < end) std::this_thread::yield();
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ::close(done[0]);
    ::close(done[1]);

    const std::string text = file_text(path);
    ASSERT_TRUE(text == one_text || text == other_text) << "kill " << i << ": " << text.size() << " bytes";
    changed += text != last ? 1 : 0;
    last = text;
  }
  EXPECT_GT(changed, 0);  // else nothing was tested

  // A leftover file is never taken for a table.
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(name == "t.json" || (name.starts_with(".t.json.") && name.ends_with(".tmp"))) << name;
  }
}

}  // namespace
}  // namespace adaptive::table

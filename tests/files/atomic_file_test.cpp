#include "files/atomic_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/error.hpp>

#include "tests/table/sample_table.hpp"

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;

std::string problem(const fs::path& path, std::string_view text = "new") {
  try {
    write_atomically(path, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), path.string());
    return error.problem();
  }
  return "nothing";
}

mode_t permissions(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(AtomicFile, MakesAndReplaces) {
  const TemporaryFolder folder;
  write_atomically(folder / "t.json", "old");
  EXPECT_EQ(file_text(folder / "t.json"), "old");
  write_atomically(folder / "t.json", std::string(3'000'000, 'x'));
  EXPECT_EQ(file_text(folder / "t.json"), std::string(3'000'000, 'x'));
  write_atomically(folder / "t.json", "");
  EXPECT_EQ(file_text(folder / "t.json"), "");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, ARelativePathWithoutAFolderIsWritten) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_atomically("t.json", "text");
  fs::current_path(before);
  EXPECT_EQ(file_text(folder / "t.json"), "text");
}

TEST(AtomicFile, PermissionsAreThoseOfTheOldFileOrOfTheUmask) {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(027);
  write_atomically(folder / "t.json", "old");
  ::umask(mask);
  EXPECT_EQ(permissions(folder / "t.json"), 0640u);
  ASSERT_EQ(::chmod((folder / "t.json").c_str(), 0606), 0);
  write_atomically(folder / "t.json", "new");
  EXPECT_EQ(permissions(folder / "t.json"), 0606u);
}

TEST(AtomicFile, AnOpenReaderKeepsTheOldFile) {
  const TemporaryFolder folder;
  write_atomically(folder / "t.json", "old");
  fs::create_hard_link(folder / "t.json", folder / "other");
  write_atomically(folder / "t.json", "new");
  EXPECT_EQ(file_text(folder / "other"), "old");
}

TEST(AtomicFile, LinksStayAndTheirTargetIsReplaced) {
  const TemporaryFolder folder;
  write_text(folder / "real/t.json", "old");
  fs::create_directory(folder / "links");
  fs::create_symlink("../real/t.json", folder / "links/first");
  fs::create_symlink(folder / "links/first", folder / "second");
  write_atomically(folder / "second", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "second"));
  EXPECT_TRUE(fs::is_symlink(folder / "links/first"));
  EXPECT_FALSE(fs::is_symlink(folder / "real/t.json"));
  EXPECT_EQ(file_text(folder / "real/t.json"), "new");

  fs::create_symlink("real/absent.json", folder / "dangling");
  write_atomically(folder / "dangling", "new");
  EXPECT_EQ(file_text(folder / "real/absent.json"), "new");

  fs::create_symlink(folder / "loop", folder / "loop");
  EXPECT_NE(problem(folder / "loop").find("symbolic links"), std::string::npos);
}

TEST(AtomicFile, WhatIsNoFileIsNotReplaced) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  fs::create_symlink("/dev/full", folder / "full");
  EXPECT_EQ(problem(folder.path()), "is a folder, not a file");
  EXPECT_EQ(problem(folder / "pipe"), "is not a regular file");
  EXPECT_EQ(problem(folder / "full"), "is not a regular file");
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
  EXPECT_EQ(folder.count(), 2u);
}

TEST(AtomicFile, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  EXPECT_NE(problem(folder / "gone/t.json").find("No such file or directory"), std::string::npos);
  write_text(folder / "file", "");
  EXPECT_NE(problem(folder / "file/t.json").find("Not a directory"), std::string::npos);
  // Root may write despite permissions, but no user can create a file in /proc.
  EXPECT_NE(problem("/proc/adaptive.json").find("no temporary file in /proc"), std::string::npos);
}

// Runs in a separate process, because it takes away permissions that later tests need.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 99;
    try {
      result = body();
    } catch (...) {
    }
    ::_exit(result);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(AtomicFile, AFullDiskLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  write_atomically(folder / "t.json", "old");
  const int result = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);  // the write fails instead
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_atomically(folder / "t.json", std::string(1'000'000, 'x'));
    } catch (const Error& error) {
      return error.problem() == "cannot be written: File too large" ? 0 : 1;
    }
    return 2;
  });
  EXPECT_EQ(result, 0);
  EXPECT_EQ(file_text(folder / "t.json"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, AReadOnlyFolderIsAnError) {
  const TemporaryFolder folder;
  write_atomically(folder / "t.json", "old");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  const int result = in_child([&] {
    // Root can write everywhere; other users cannot.
    if (::geteuid() == 0 && ::setuid(65'534) != 0) return 77;
    try {
      write_atomically(folder / "t.json", "new");
    } catch (const Error& error) {
      return error.problem().find("Permission denied") != std::string::npos ? 0 : 1;
    }
    return 2;
  });
  ::chmod(folder.path().c_str(), 0755);
  if (result == 77) GTEST_SKIP() << "cannot become another user here";
  EXPECT_EQ(result, 0);
  EXPECT_EQ(file_text(folder / "t.json"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, WhatAKilledWriterHasLeftIsRemoved) {
  const TemporaryFolder folder;
  const pid_t pid = ::getpid();
  const std::string number = std::to_string(pid);
  for (const char* stays : {".t.json.tmp", ".t.json.a.1.tmp", ".other.json.17.0.tmp", "t.json.17.0.tmp"})
    write_text(folder / stays, "");
  write_text(folder / (".t.json." + number + ".0.tmp"), "left");
  write_text(folder / ".t.json.99999999.3.tmp", "left");
  // The temporary file of a writer that is still running.
  write_text(folder / ".t.json.17.5.tmp", "");
  const int at_work = ::open((folder / ".t.json.17.5.tmp").c_str(), O_RDWR);
  ASSERT_EQ(::flock(at_work, LOCK_EX), 0);
  write_atomically(folder / "t.json", "new");
  EXPECT_EQ(folder.count(), 6u);
  EXPECT_TRUE(fs::exists(folder / ".t.json.17.5.tmp"));
  ::close(at_work);
}

TEST(AtomicFile, WritersDoNotMix) {
  const TemporaryFolder folder;
  const auto text = [](int writer) { return std::string(50'000, static_cast<char>('a' + writer)); };
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer)
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 25; ++i) write_atomically(folder / "t.json", text(writer));
    });
  for (std::thread& writer : writers) writer.join();
  const std::string result = file_text(folder / "t.json");
  EXPECT_EQ(result, text(result.front() - 'a'));
  EXPECT_EQ(folder.count(), 1u);
}

}  // namespace
}  // namespace adaptive::table

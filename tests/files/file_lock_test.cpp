#include "files/file_lock.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <adaptive/error.hpp>

#include "table/update.hpp"
#include "tests/table/sample_table.hpp"

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

TEST(FileLock, KeepsOthersOutAndIsGoneAfterwards) {
  const TemporaryFolder folder;
  const fs::path file = folder / "t.json";
  {
    const FileLock lock(file);
    EXPECT_TRUE(lock.held());
    EXPECT_TRUE(fs::exists(folder / ".t.json.lock"));
    try {
      const FileLock second(file, milliseconds(0));
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::locked);
      EXPECT_EQ(error.where(), file.string());
      EXPECT_NE(error.problem().find("process " + std::to_string(::getpid())), std::string::npos)
          << error.what();
    }
    const FileLock other(folder / "u.json", milliseconds(0));
  }
  EXPECT_EQ(folder.count(), 0u);
  const FileLock again(file, milliseconds(0));
}

TEST(FileLock, SaysWhyThereIsNoneAndWhatToDo) {
  const auto said = [](const fs::path& file) {
    try {
      const FileLock lock(file);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("locked");
  };
  const TemporaryFolder folder;
  EXPECT_EQ(said(folder / "none" / "t.json"), (folder / "none" / "t.json").string() +
                                                  ": cannot be written: the folder " +
                                                  (folder / "none").string() + " does not exist; create it");
  // Not even root may create files there.
  EXPECT_EQ(said("/sys/t.json"),
            "/sys/t.json: cannot be written: no permission to create a lock file in /sys; "
            "choose a writable folder or set ADAPTIVE_TABLES");
}

TEST(FileLock, OfAKilledProcessIsTakenOver) {
  const TemporaryFolder folder;
  const fs::path file = folder / "t.json";
  int held[2];
  ASSERT_EQ(::pipe(held), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(file);
    const char byte = 1;
    if (::write(held[1], &byte, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(held[0], &byte, 1), 1);
  EXPECT_THROW(FileLock(file, milliseconds(0)), Error);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(fs::exists(folder / ".t.json.lock"));
  EXPECT_TRUE(FileLock(file, milliseconds(0)).held());
  EXPECT_EQ(folder.count(), 0u);
  ::close(held[0]);
  ::close(held[1]);
}

TEST(FileLock, ALinkAndItsTargetAreOneFile) {
  const TemporaryFolder folder;
  write_text(folder / "real/t.json", "");
  fs::create_symlink("real/t.json", folder / "link.json");
  const FileLock lock(folder / "link.json");
  EXPECT_TRUE(fs::exists(folder / "real/.t.json.lock"));
  EXPECT_THROW(FileLock(folder / "real/t.json", milliseconds(0)), Error);
}

TEST(FileLock, ALockFileThatIsALinkIsNotFollowed) {
  const TemporaryFolder folder;
  write_text(folder / "victim", "text");
  fs::create_symlink("victim", folder / ".t.json.lock");
  EXPECT_THROW(FileLock(folder / "t.json", milliseconds(0)), Error);
  EXPECT_EQ(file_text(folder / "victim"), "text");
}

TEST(FileLock, WithoutAFolderThereIsNoLock) {
  const TemporaryFolder folder;
  EXPECT_THROW(FileLock(folder / "gone/t.json"), Error);
  EXPECT_THROW(FileLock("/proc/t.json"), Error);
}

TEST(FileLock, FileSystemsOfThisHostAreNotRemote) {
  EXPECT_FALSE(is_remote("/proc/self/status"));
  EXPECT_FALSE(is_remote("/nowhere/at/all"));
}

TEST(Update, StartsFromNothingAnEmptyFileOrATable) {
  const TemporaryFolder folder;
  const fs::path path = folder / "t.json";
  write_text(folder / "empty.json", "");
  for (const fs::path& file : {path, folder / "empty.json"})
    EXPECT_TRUE(update(file, [](Table& table) {
                  EXPECT_EQ(table, Table());
                  table = sample_table();
                  return true;
                }).empty());
  update(path, [](Table& table) {
    EXPECT_EQ(table, sample_table());
    table = Table();
    return false;
  });
  EXPECT_EQ(read(path).table, sample_table());
}

TEST(Update, WhatCannotBeReadIsNotReplaced) {
  const TemporaryFolder folder;
  for (const char* text : {"{\"schema\": \"adaptive-table\", \"version\": 99}", "{\"1\": {}}", "{"}) {
    write_text(folder / "t.json", text);
    EXPECT_THROW(update(folder / "t.json", [](Table&) { return true; }), Error);
    EXPECT_EQ(file_text(folder / "t.json"), text);
  }
  EXPECT_EQ(folder.count(), 1u);
}

TEST(Update, WhatTheChangeThrowsLeavesTheTable) {
  const TemporaryFolder folder;
  write(sample_table(), folder / "t.json");
  EXPECT_THROW(update(folder / "t.json",
                      [](Table& table) -> bool {
                        table = Table();
                        throw Error(ErrorCode::io, "no", "here");
                      }),
               Error);
  EXPECT_EQ(read(folder / "t.json").table, sample_table());
  EXPECT_EQ(folder.count(), 1u);
}

}  // namespace
}  // namespace adaptive::table

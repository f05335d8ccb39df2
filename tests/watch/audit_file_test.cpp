// Files of lines that are rotated.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/error.hpp>
#include "tests/selector/scratch_folder.hpp"
#include "tests/watch/audit_lines.hpp"
#include "watch/audit_file.hpp"

namespace adaptive {
namespace {

namespace fs = std::filesystem;
using test::lines_of;
using watch::append;

class AuditFile : public testing::Test {
 protected:
  std::string text(const std::string& name) const { return folder_.read(name); }

  const test::ScratchFolder folder_{test::memory_folder()};
  AuditOptions audit_{.file = folder_ / "audit.jsonl", .bytes_max = 10, .files_max = 2};
};

TEST_F(AuditFile, GrowsUpToItsLimitAndIsThenRotated) {
  append(audit_, "1234\n");
  append(audit_, "5678\n");
  EXPECT_EQ(text("audit.jsonl"), "1234\n5678\n");
  append(audit_, "a\n");
  EXPECT_EQ(text("audit.jsonl"), "a\n");
  EXPECT_EQ(text("audit.jsonl.1"), "1234\n5678\n");
}

TEST_F(AuditFile, KeepsOnlySoManyRotatedFiles) {
  for (int i = 0; i < 6; ++i) append(audit_, "line " + std::to_string(i) + ".\n");
  EXPECT_EQ(text("audit.jsonl"), "line 5.\n");
  EXPECT_EQ(text("audit.jsonl.1"), "line 4.\n");
  EXPECT_EQ(text("audit.jsonl.2"), "line 3.\n");
  EXPECT_FALSE(fs::exists(folder_ / "audit.jsonl.3"));
}

TEST_F(AuditFile, KeepsNoRotatedFileIfNoneIsAllowed) {
  audit_.files_max = 0;
  append(audit_, "12345678\n");
  append(audit_, "new\n");
  EXPECT_EQ(text("audit.jsonl"), "new\n");
  EXPECT_FALSE(fs::exists(folder_ / "audit.jsonl.1"));
}

TEST_F(AuditFile, ABatchLargerThanTheLimitIsNotCut) {
  append(audit_, "12345678901234567890\n");
  EXPECT_EQ(text("audit.jsonl"), "12345678901234567890\n");
  EXPECT_FALSE(fs::exists(folder_ / "audit.jsonl.1"));
}

TEST_F(AuditFile, CompletesTheLineOfAKilledProcess) {
  audit_.bytes_max = 4096;
  folder_.write("audit.jsonl", "{\"half\":");
  append(audit_, "{}\n");
  EXPECT_EQ(text("audit.jsonl"), "{\"half\":\n{}\n");
}

TEST_F(AuditFile, SaysWhyItCannotBeWritten) {
  audit_.file = folder_ / "missing" / "audit.jsonl";
  try {
    append(audit_, "{}\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos);
  }
}

TEST_F(AuditFile, LosesNoLineOfSeveralThreads) {
  audit_ = {.file = folder_ / "audit.jsonl", .bytes_max = 100, .files_max = 1000};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) append(audit_, "a line of a thread\n");
    });
  for (std::thread& thread : threads) thread.join();
  std::size_t lines = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path()))
    for (const std::string& line : lines_of(entry.path())) {
      EXPECT_EQ(line, "a line of a thread") << entry.path();
      ++lines;
    }
  EXPECT_EQ(lines, 120u);
}

}  // namespace
}  // namespace adaptive

// Tests the messages on stderr while the program has not set a callback.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "tests/selector/environment_variable.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

std::string stderr_of(const std::function<void()>& f) {
  testing::internal::CaptureStderr();
  f();
  return testing::internal::GetCapturedStderr();
}

std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

TEST(StandardLog, HasEachKindOnce) {
  EXPECT_EQ(stderr_of([] {
              log_to_stderr(LogLevel::warning, "one");
              log_to_stderr(LogLevel::error, "two");
              log_to_stderr(LogLevel::warning, "one");
              log_to_stderr(LogLevel::warning, "three, 1", "three");
              log_to_stderr(LogLevel::warning, "three, 2", "three");
            }),
            "adaptive: one\nadaptive: two\nadaptive: three, 1\n");
}

TEST(StandardLog, HasOnlyWarningsAndErrors) {
  EXPECT_EQ(stderr_of([] {
              log_to_stderr(LogLevel::debug, "debug");
              log_to_stderr(LogLevel::info, "info");
            }),
            "");
}

TEST(StandardLog, AWrongModeIsSaidOnceForAllSelectors) {
  const test::EnvironmentVariable variable("ADAPTIVE_MODE", "of");
  SelectorOptions options = test::options();
  options.use_environment = true;
  EXPECT_EQ(stderr_of([&] { const Selector one(options), two(options); }),
            "adaptive: ADAPTIVE_MODE=of is ignored; write off, seed, observe, online or frozen\n");
}

TEST(StandardLog, AWrongVariantIsSaid) {
  const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", "op=fast");
  SelectorOptions options = test::options();
  options.use_environment = true;
  const std::string text = stderr_of([&] { Selector(options).define(test::operation({"a", "b"})); });
  EXPECT_EQ(text, "adaptive: ADAPTIVE_VARIANT is ignored: op: there is no variant \"fast\"; known: a, b\n");
}

TEST(StandardLog, AKeyOfTheWrongSizeIsSaidOnce) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}, "wrong_size"));
  const std::string text = stderr_of([&] {
    for (int i = 0; i < 3; ++i) op.select({1, 2});
  });
  EXPECT_EQ(lines(text), 1) << text;
  EXPECT_TRUE(text.starts_with("adaptive: wrong_size: ")) << text;
  EXPECT_NE(text.find("wrong number of values"), std::string::npos) << text;
}

TEST(StandardLog, AMissingFolderOfTheEnvironmentIsSaidAndTheUsersOwnNeedNotExist) {
  const test::ScratchFolder folder;
  const test::EnvironmentVariable tables("ADAPTIVE_TABLES", (folder / "none").string());
  const test::EnvironmentVariable own("XDG_DATA_HOME", (folder / "data").string());
  SelectorOptions options = test::options();
  options.tables = TableSearch::standard();
  const std::string text = stderr_of([&] { Selector(options).define(test::operation({"a"})); });
  EXPECT_EQ(lines(text), 1) << text;
  EXPECT_NE(text.find("none: does not exist; correct ADAPTIVE_TABLES"), std::string::npos) << text;
}

TEST(StandardLog, OfABrokenTableTheFirstFaultIsSaidWithTheNumberOfTheOthers) {
  const test::ScratchFolder folder;
  {
    Selector selector(test::options());
    Operation& op = selector.define(test::operation({"a", "b"}));
    for (std::int64_t m = 1; m <= 4; ++m) op.record({m}, 0, Latency(100));
    selector.save(folder / "table.json");
  }
  std::string table = folder.read("table.json");
  for (std::size_t at = table.find("\"mean_ns\": "); at != std::string::npos;
       at = table.find("\"mean_ns\": ", at + 1))
    table.insert(at + 11, "-");
  folder.write("table.json", table);
  SelectorOptions options = test::options();
  options.tables.places = {folder / "table.json"};
  const std::string text = stderr_of([&] { Selector(options).define(test::operation({"a", "b"})); });
  EXPECT_EQ(lines(text), 1) << text;
  EXPECT_NE(text.find("and 3 more; `adaptive validate"), std::string::npos) << text;
}

TEST(StandardLog, IsSilentWhereTheProgramListens) {
  const test::EnvironmentVariable variable("ADAPTIVE_MODE", "0ff");
  SelectorOptions options = test::options();
  options.use_environment = true;
  test::Log log;
  options.log = log.callback();
  EXPECT_EQ(stderr_of([&] { const Selector selector(options); }), "");
  EXPECT_EQ(log.count("ADAPTIVE_MODE", LogLevel::warning), 1u);
}

// Must be the last test, because afterwards the process reports no new kinds of messages.
TEST(StandardLogLimit, EndsAfterManyKinds) {
  const std::string text = stderr_of([] {
    for (int i = 0; i < 1000; ++i) log_to_stderr(LogLevel::warning, "kind " + std::to_string(i));
  });
  EXPECT_LE(lines(text), 201) << text;
  EXPECT_TRUE(
      text.ends_with("adaptive: further messages are not printed; set SelectorOptions::log to see them\n"))
      << text;
}

}  // namespace
}  // namespace adaptive

// Tests ADAPTIVE_MODE and ADAPTIVE_VARIANT.
#include <gtest/gtest.h>

#include "tests/selector/environment_variable.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

SelectorOptions from_environment(const test::Log& log = {}) {
  SelectorOptions options = test::options();
  options.use_environment = true;
  options.log = test::Log(log).callback();
  return options;
}

TEST(EnvironmentMode, OverridesTheProgram) {
  const std::pair<const char*, Mode> modes[] = {{"off", Mode::off},
                                                {"seed", Mode::seed},
                                                {"observe", Mode::observe},
                                                {"online", Mode::online},
                                                {"frozen", Mode::frozen}};
  for (const auto& [text, mode] : modes) {
    const test::EnvironmentVariable variable("ADAPTIVE_MODE", text);
    SelectorOptions options = from_environment();
    options.mode = mode == Mode::off ? Mode::online : Mode::off;
    EXPECT_EQ(Selector(options).mode(), mode) << text;
    options.use_environment = false;
    EXPECT_NE(Selector(options).mode(), mode) << text;
  }
}

TEST(EnvironmentMode, OffRunsTheDefault) {
  const test::EnvironmentVariable variable("ADAPTIVE_MODE", "off");
  Selector selector(from_environment());
  Operation& op = selector.define(test::operation({"a", "b"}));
  test::launch(op, {8}, {200, 100}, 100);
  EXPECT_EQ(op.select({8}).variant(), 0u);
  EXPECT_EQ(op.counters().results, 0u);
}

// The mode is a kill switch. A user who writes it in a hurry must not be ignored.
TEST(EnvironmentMode, NeitherCaseNorBlanksMatter) {
  for (const char* text : {"OFF", "Off", " off", "off\r"}) {
    const test::EnvironmentVariable variable("ADAPTIVE_MODE", text);
    const test::Log log;
    EXPECT_EQ(Selector(from_environment(log)).mode(), Mode::off) << text;
    EXPECT_EQ(log.text(), "");
  }
}

TEST(EnvironmentMode, UnknownIsReportedAndIgnored) {
  for (const char* text : {"of", "on", "0"}) {
    const test::EnvironmentVariable variable("ADAPTIVE_MODE", text);
    const test::Log log;
    EXPECT_EQ(Selector(from_environment(log)).mode(), Mode::online);
    EXPECT_EQ(log.count(std::string("ADAPTIVE_MODE=") + text + " is ignored", LogLevel::warning), 1u)
        << log.text();
    EXPECT_EQ(log.count("frozen"), 1u) << "names the known ones";
  }
}

TEST(EnvironmentMode, EmptyIsNone) {
  const test::EnvironmentVariable variable("ADAPTIVE_MODE", "");
  const test::Log log;
  EXPECT_EQ(Selector(from_environment(log)).mode(), Mode::online);
  EXPECT_EQ(log.text(), "");
}

TEST(EnvironmentVariant, ForcesOneOfOneOperation) {
  const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", "op=b");
  const test::Log log;
  Selector selector(from_environment(log));
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  Operation& other = selector.define(test::operation({"a", "b", "c"}, "other"));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(op.select({8}).variant(), 1u);
    EXPECT_FALSE(op.select({8}).timed());
  }
  EXPECT_EQ(other.select({8}).variant(), 0u);
  EXPECT_TRUE(other.select({8}).timed());
  EXPECT_EQ(log.count("forces b"), 1u) << log.text();
}

TEST(EnvironmentVariant, UnknownIsReportedAndIgnored) {
  const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", "op=x");
  const test::Log log;
  Selector selector(from_environment(log));
  Operation& op = selector.define(test::operation({"a", "b"}));
  EXPECT_TRUE(op.select({8}).timed());
  EXPECT_EQ(log.count("ADAPTIVE_VARIANT is ignored", LogLevel::warning), 1u) << log.text();
  EXPECT_EQ(log.count("known: a, b"), 1u) << log.text();
}

TEST(EnvironmentVariant, AnOperationThatIsNeverDefinedIsReportedAtTheEnd) {
  const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", "gem=b");
  const test::Log log;
  {
    Selector selector(from_environment(log));
    selector.define(test::operation({"a", "b"}, "gemm"));
    selector.define(test::operation({"a", "b"}, "conv"));
    EXPECT_EQ(log.count("", LogLevel::warning), 0u) << "it may still be defined";
  }
  EXPECT_EQ(log.count("ADAPTIVE_VARIANT=gem=b has had no effect", LogLevel::warning), 1u) << log.text();
  EXPECT_EQ(log.count("known: conv, gemm"), 1u) << log.text();
}

// A server that never ends reports the wrong name when it saves.
TEST(EnvironmentVariant, AnOperationThatIsNotDefinedIsReportedAtASaveAndThenNoMore) {
  const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", "gem=b");
  const test::ScratchFolder folder;
  const test::Log log;
  {
    Selector selector(from_environment(log));
    selector.define(test::operation({"a", "b"}, "gemm"));
    selector.save(folder / "table.json");
    EXPECT_EQ(log.count("has had no effect", LogLevel::warning), 1u) << log.text();
    selector.save(folder / "table.json");
  }
  EXPECT_EQ(log.count("has had no effect", LogLevel::warning), 1u) << log.text();
}

TEST(EnvironmentVariant, AnOperationOfAnotherSelectorIsNoFault) {
  const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", "of_another=b");
  const test::Log log;
  {
    Selector one(from_environment(log));
    one.define(test::operation({"a", "b"}, "of_another"));
    Selector other(from_environment(log));
    other.define(test::operation({"a", "b"}, "of_this"));
    const Selector without_any(from_environment(log));
  }
  EXPECT_EQ(log.count("", LogLevel::warning), 0u) << log.text();
}

TEST(EnvironmentVariant, ThatDoesNotParseIsReportedAndIgnored) {
  for (const char* text : {"b", "=b", "op=", "="}) {
    const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", text);
    const test::Log log;
    Selector selector(from_environment(log));
    EXPECT_EQ(log.count("operation=variant", LogLevel::warning), 1u) << log.text();
    EXPECT_TRUE(selector.define(test::operation({"a", "b"})).select({8}).timed());
  }
}

TEST(EnvironmentVariant, MayHoldAnEqualsSignInTheVariant) {
  const test::EnvironmentVariable variable("ADAPTIVE_VARIANT", "op=tile=64");
  Selector selector(from_environment());
  EXPECT_EQ(selector.define(test::operation({"a", "tile=64"})).select({8}).variant(), 1u);
}

}  // namespace
}  // namespace adaptive

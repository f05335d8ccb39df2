// Tests the texts of times and versions.
#include <gtest/gtest.h>

#include "base/time_text.hpp"
#include "files/folder_version.hpp"

namespace adaptive::inline v1::table {
namespace {

TEST(TimeText, HasTheKnownTimes) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_text(1'769'847'300), "2026-01-31T08:15:00Z");
  EXPECT_EQ(time_text(951'782'399), "2000-02-28T23:59:59Z");
  EXPECT_EQ(time_text(951'782'400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(time_text(253'402'300'799), "9999-12-31T23:59:59Z");
}

TEST(TimeText, ReadsWhatItWrites) {
  // The step is a prime number of seconds, so that every field takes many values.
  for (std::int64_t time = 0; time <= 253'402'300'799; time += 104'729'371)
    ASSERT_EQ(parse_time(time_text(time)), time);
}

TEST(TimeText, TakesOnlyTimesThatExist) {
  for (const char* text :
       {"", "2026", "2026-01-31", "2026-01-31T08:15:00", "2026-01-31 08:15:00Z", "2026-01-31T08:15:00+01",
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T08:60:00Z", "2026-01-31T08:15:60Z", "1969-12-31T23:59:59Z",
        "-026-01-31T08:15:00Z", "2026-01-31T08:15:00Z ", "2026-01-31T08:1x:00Z"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

TEST(FolderVersion, IsToldFromOtherNames) {
  for (const char* text : {"1", "3.5.1", "v2", "triton_3_5_1", "cuda-13.0"})
    EXPECT_TRUE(parse_folder_version(text)) << text;
  for (const char* text : {"", "legacy", "v", "1.", "1..2", "3.5rc1", "1.2.x", "99999999999999999999", "1 2"})
    EXPECT_FALSE(parse_folder_version(text)) << text;
  EXPECT_EQ(parse_folder_version("triton_3_5")->prefix, "triton_");
  EXPECT_EQ(parse_folder_version("v2")->prefix, "");
}

TEST(FolderVersion, NumbersCompareAsNumbers) {
  const auto compare = [](const char* a, const char* b) {
    return parse_folder_version(a)->compare(*parse_folder_version(b));
  };
  EXPECT_TRUE(compare("3.10", "3.9") > 0);
  EXPECT_TRUE(compare("3.5", "3.5.0") == 0);
  EXPECT_TRUE(compare("3.5", "3.5.1") < 0);
  EXPECT_TRUE(compare("triton_3_5_1", "triton_3_10_0") < 0);
  EXPECT_TRUE(compare("v2", "2.0") == 0);
}

}  // namespace
}  // namespace adaptive::table

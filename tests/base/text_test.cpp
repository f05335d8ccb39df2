#include "base/text.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace adaptive::inline v1::core {
namespace {

TEST(Text, IsSplitAndJoined) {
  using Parts = std::vector<std::string>;
  EXPECT_EQ(split("a,,b,", ','), (Parts{"a", "", "b", ""}));
  EXPECT_EQ(split("a", ','), Parts{"a"});
  EXPECT_TRUE(split("", ',').empty());
  EXPECT_EQ(joined({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(joined({"4"}, "+"), "4");
  EXPECT_EQ(joined({}), "");
}

TEST(Text, IsANumberAsAWholeOnly) {
  EXPECT_EQ(parse_number<std::int64_t>("-12"), -12);
  EXPECT_EQ(parse_number<double>("1.5e3"), 1500.0);
  for (const char* wrong : {"", " 1", "1 ", "1x", "x", "99999999999999999999"})
    EXPECT_EQ(parse_number<std::int64_t>(wrong), std::nullopt) << wrong;
}

TEST(Text, IsEscapedForWhatItGoesInto) {
  EXPECT_EQ(xml_escaped("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
}

TEST(Text, LosesTheWhiteSpaceAtItsEnds) {
  EXPECT_EQ(trimmed(" a b\t\r\n"), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, GetsSmallLettersFromAsciiAlone) {
  EXPECT_EQ(ascii_lower("AZ az 09_\xC3\x84"), "az az 09_\xC3\x84");
}

TEST(Text, IsMadeOfTheLastHexadecimalDigits) {
  EXPECT_EQ(hexadecimal(0xABCD, 4), "abcd");
  EXPECT_EQ(hexadecimal(0xABCD, 6), "00abcd");
  EXPECT_EQ(hexadecimal(0xABCD, 2), "cd");
  EXPECT_EQ(hexadecimal(0xFEDC'BA98'7654'3210, 16), "fedcba9876543210");
}

TEST(Text, TellsShares) {
  EXPECT_EQ(percent(0.1234), "12.3 %");
  EXPECT_EQ(percent(-0.00125, 2), "-0.12 %");
}

}  // namespace
}  // namespace adaptive::core

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

TEST(Text, TellsShares) {
  EXPECT_EQ(percent(0.1234), "12.3 %");
  EXPECT_EQ(percent(-0.00125, 2), "-0.12 %");
}

}  // namespace
}  // namespace adaptive::core

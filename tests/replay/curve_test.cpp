#include "replay/curve.hpp"

#include <gtest/gtest.h>

#include <string>

namespace adaptive::inline v1::replay {
namespace {

TEST(Curve, IsWrittenAsCsv) {
  EXPECT_EQ(to_csv({{"default", {{100, 0.01, 0.001}, {1000, 0.002, 0.0005}}}, {"a, \"b\"", {{1, 0.5, 0}}}}),
            "policy,calls,overhead_percent,confidence_percent\n"
            "default,100,1,0.1\n"
            "default,1000,0.2,0.05\n"
            "\"a, \"\"b\"\"\",1,50,0\n");
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

bool numbers_are_finite(const std::string& svg) {
  for (const char* wrong : {"\"nan", "\"-nan", "\"inf", "\"-inf", ",nan", ",-nan", ",inf", ",-inf"})
    if (svg.find(wrong) != std::string::npos) return false;
  return true;
}

TEST(Curve, IsDrawnAsAPicture) {
  const std::vector<Curve> curves = {{"a<b", {{1, 0.5, 0.1}, {10, 0.05, 0.01}}}, {"other", {{10, 0.1, 0}}}};
  const std::string svg = to_svg(curves, 0.5, "one & two");
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_EQ(count(svg, "<polyline"), 3U) << "two policies and the floor";
  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
  EXPECT_NE(svg.find("one &amp; two"), std::string::npos);
  EXPECT_TRUE(numbers_are_finite(svg));
}

TEST(Curve, WhatCannotBeDrawnIsLeftOut) {
  for (const std::string& svg : {to_svg({}, 0, ""), to_svg({{"none", {}}}, 1, ""),
                                 to_svg({{"zero", {{1, 0, 0}, {10, -0.1, 0}}}}, 0, "")}) {
    EXPECT_EQ(count(svg, "<polygon"), 0U);
    EXPECT_TRUE(numbers_are_finite(svg)) << svg;
  }
}

}  // namespace
}  // namespace adaptive::replay

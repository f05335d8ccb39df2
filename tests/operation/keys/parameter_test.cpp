// Tests that a parameter keeps the type with which it was written.
#include <adaptive/variant.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace adaptive {
namespace {

TEST(Parameter, KeepsWhatItWasGiven) {
  EXPECT_EQ(std::get<std::int64_t>(Parameter(64).value()), 64);
  EXPECT_EQ(std::get<std::int64_t>(Parameter(std::uint8_t{200}).value()), 200);
  EXPECT_EQ(std::get<double>(Parameter(0.5f).value()), 0.5);
  EXPECT_EQ(std::get<bool>(Parameter(true).value()), true);
  EXPECT_EQ(std::get<std::string>(Parameter("split-k").value()), "split-k");
  EXPECT_EQ(std::get<std::string>(Parameter(std::string("a")).value()), "a");
  EXPECT_EQ(std::get<std::string>(Parameter(std::string_view("b")).value()), "b");
}

TEST(Parameter, OfATextIsNoTruthValue) {
  // A pointer converts to bool: the constructor for texts must win.
  EXPECT_TRUE(std::holds_alternative<std::string>(Parameter("true").value()));
}

TEST(Parameter, IsZeroByDefault) {
  EXPECT_EQ(Parameter(), Parameter(0));
}

TEST(Parameter, ComparesTypeAndValue) {
  EXPECT_EQ(Parameter(1), Parameter(1L));
  EXPECT_NE(Parameter(1), Parameter(1.0));
  EXPECT_NE(Parameter(1), Parameter(true));
  EXPECT_NE(Parameter("1"), Parameter(1));
}

TEST(Parameters, AreWrittenInBraces) {
  const Parameters parameters = {
      {"tile", 64}, {"stages", 3u}, {"scale", 1.5}, {"async", true}, {"name", "x"}};
  EXPECT_EQ(parameters.size(), 5u);
  EXPECT_EQ(parameters.at("tile"), Parameter(64));
}

}  // namespace
}  // namespace adaptive

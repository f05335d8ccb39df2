#include "learning/model/parameter_space.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace adaptive::inline v1::core {
namespace {

ParameterSpace space(const std::vector<Parameters>& candidates) {
  std::vector<const Parameters*> pointers;
  for (const Parameters& parameters : candidates) pointers.push_back(&parameters);
  return parameter_space(pointers);
}

ParameterSpace named(std::initializer_list<std::string_view> names) {
  return parameter_space(std::vector<std::string_view>(names));
}

float distance(const ParameterSpace& space, std::size_t a, std::size_t b) {
  return static_cast<float>(std::sqrt(space.distance_squared(a, b)));
}

TEST(ParameterSpace, AFactorOfTwoIsOneUnit) {
  const ParameterSpace s = space({{{"tile", 16}, {"ratio", 0.5}}, {{"tile", 128}, {"ratio", 0.5}}});
  EXPECT_EQ(s.dimensions, 1u) << "what all have in common tells nobody apart";
  EXPECT_FLOAT_EQ(distance(s, 0, 1), 3.0f);
}

TEST(ParameterSpace, ZerosAndNegativeNumbersHaveAPlace) {
  const ParameterSpace s = space({{{"split", 0}}, {{"split", 1}}, {{"split", -3}}});
  EXPECT_FLOAT_EQ(distance(s, 0, 1), 1.0f);
  EXPECT_FLOAT_EQ(distance(s, 0, 2), 2.0f);
}

TEST(ParameterSpace, TextsAndTruthValuesAreOneUnitApart) {
  std::vector<Parameters> candidates;
  for (const char* layout : {"row", "column", "tiled"})
    for (const bool packed : {false, true}) candidates.push_back({{"layout", layout}, {"packed", packed}});
  const ParameterSpace s = space(candidates);
  EXPECT_FLOAT_EQ(distance(s, 0, 1), 1.0f);
  EXPECT_FLOAT_EQ(distance(s, 0, 2), 1.0f);
  EXPECT_FLOAT_EQ(distance(s, 0, 4), 1.0f);
  EXPECT_FLOAT_EQ(distance(s, 0, 3), std::sqrt(2.0f));
}

TEST(ParameterSpace, ATextThatNamesTheVariantIsLeftOut) {
  std::vector<Parameters> candidates;
  for (int i = 0; i < 6; ++i) candidates.push_back({{"kernel", "kernel" + std::to_string(i)}});
  EXPECT_TRUE(space(candidates).empty());
}

TEST(ParameterSpace, ACandidateWithoutTheNumberStandsAtTheMeanAndApart) {
  const ParameterSpace s = space({{{"stages", 2}}, {{"stages", 8}}, {}});
  EXPECT_EQ(s.dimensions, 2u);
  EXPECT_FLOAT_EQ(distance(s, 0, 1), 2.0f);
  EXPECT_FLOAT_EQ(distance(s, 0, 2), std::sqrt(2.0f));
  EXPECT_FLOAT_EQ(distance(s, 1, 2), std::sqrt(2.0f));
}

TEST(ParameterSpace, IsEmptyWhereThereIsNothingToTellApart) {
  EXPECT_TRUE(space({{}, {}}).empty());
  EXPECT_TRUE(space({{{"tile", 16}}, {{"tile", 16}}}).empty());
  EXPECT_TRUE(space({}).empty());
}

TEST(ParameterSpace, NumbersInNamesAreParameters) {
  const ParameterSpace s = named({"16x64x64_w4", "32x64x128_w4", "16x64x64_w8"});
  EXPECT_EQ(s.dimensions, 3u);
  EXPECT_FLOAT_EQ(distance(s, 0, 1), std::sqrt(2.0f));
  EXPECT_FLOAT_EQ(distance(s, 0, 2), 1.0f);
}

TEST(ParameterSpace, NamesThatDifferInMoreThanNumbersSayNothing) {
  EXPECT_TRUE(named({"tile16", "wide32"}).empty());
  EXPECT_TRUE(named({"tile16", "tile16_32"}).empty());
  EXPECT_TRUE(named({"plain", "packed"}).empty());
  EXPECT_TRUE(named({"cublas_1", "cublas_2", "cublas_3"}).empty()) << "an index, as far as anybody knows";
  EXPECT_TRUE(named({}).empty());
}

TEST(ParameterSpace, NumbersOfAnyLengthAreTaken) {
  const std::string endless(4000, '9');
  const ParameterSpace s = named({"1x1", "2x" + endless});
  EXPECT_EQ(s.dimensions, 2u);
  for (const float x : s.coordinates) EXPECT_TRUE(std::isfinite(x));
}

}  // namespace
}  // namespace adaptive::core

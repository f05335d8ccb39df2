// Tests the random generator, whose numbers must never change, so that runs repeat.
#include <adaptive/random.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace adaptive {
namespace {

TEST(Random, GivesTheNumbersOfThePaper) {
  // The reference implementation at https://prng.di.unimi.it/splitmix64.c, seed 1234567.
  Random random(1234567);
  EXPECT_EQ(random(), 6457827717110365317u);
  EXPECT_EQ(random(), 3203168211198807973u);
  EXPECT_EQ(random(), 9817491932198370423u);
  EXPECT_EQ(random(), 4593380528125082431u);
  EXPECT_EQ(random(), 16408922859458223821u);
}

TEST(Random, IsUniform) {
  Random random(3);
  double sum = 0.0;
  for (int i = 0; i < 10'000; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, StaysBelowItsBound) {
  Random random(3);
  int seen[5] = {};
  for (int i = 0; i < 10'000; ++i) ++seen[random.below(5)];
  for (const int count : seen) EXPECT_NEAR(count, 2000, 250);
  EXPECT_EQ(Random(1).below(1), 0u);
}

}  // namespace
}  // namespace adaptive

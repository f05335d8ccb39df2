#include "policies/reopening.hpp"

#include <gtest/gtest.h>

namespace adaptive::policies {
namespace {

/// The first candidate leads, until its latency grows by a half: so many results later the key is re-opened.
void reopen(KeyStatistics& key, Reopening& reopening) {
  for (int i = 0; i < 20; ++i) reopening.watch(key, key.add(0, 1000.0), 0);
  for (int i = 0; i < 20 && !key[1].remembered; ++i) reopening.watch(key, key.add(0, 1500.0), 0);
  ASSERT_TRUE(key[1].remembered);
}

KeyStatistics of(std::size_t candidates) {
  KeyStatistics key;
  key.candidates.resize(candidates);
  return key;
}

TEST(Reopening, RemembersLooksThatAgree) {
  KeyStatistics key = of(2);
  for (int i = 0; i < 3; ++i) key.add(1, 2000.0);
  Reopening reopening;
  reopen(key, reopening);
  EXPECT_EQ(key.agreeing(1, key.starts_cold()), 2u);
}

TEST(Reopening, ConfirmsNoOutlier) {
  KeyStatistics key = of(2);
  key.add(1, 90'000.0);
  key.add(1, 30'000.0);
  Reopening reopening;
  reopen(key, reopening);
  EXPECT_EQ(key.agreeing(1, key.starts_cold()), 1u) << "neither of the two has ever been seen twice";
}

TEST(Reopening, ConfirmsNoSingleLookAfterAColdStart) {
  KeyStatistics key = of(3);
  key.add(0, 40'000.0);
  for (const double ns : {40'000.0, 2000.0, 2000.0}) key.add(1, ns);
  for (const double ns : {40'000.0, 2000.0}) key.add(2, ns);
  Reopening reopening;
  reopen(key, reopening);
  EXPECT_EQ(key.agreeing(2, key.starts_cold()), 1u);
}

}  // namespace
}  // namespace adaptive::policies

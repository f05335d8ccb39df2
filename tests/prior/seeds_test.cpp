// Seeds in order, and which of two tables' entries counts.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {
namespace {

SeedEntry entry(Key key, std::uint32_t incumbent, std::string source = "t") {
  SeedEntry seed;
  seed.key = key;
  seed.incumbent = incumbent;
  seed.source = std::move(source);
  return seed;
}

TEST(Seeds, AreFoundByTheirKeyAlone) {
  Seeds seeds;
  seeds.add({entry({3}, 1), entry({1}, 2), entry({2}, 3)}, true);
  ASSERT_NE(seeds.find(Key{2}), nullptr);
  EXPECT_EQ(seeds.find(Key{2})->incumbent, 3u);
  EXPECT_EQ(seeds.find(Key{4}), nullptr);
  EXPECT_EQ(seeds.find((Key{2, 0})), nullptr);
  EXPECT_EQ(seeds.entries().size(), 3u);
}

TEST(Seeds, KeepOrReplaceTheOldEntryAsAsked) {
  Seeds seeds;
  seeds.add({entry({1}, 1, "old"), entry({2}, 1, "old")}, true);
  seeds.add({entry({2}, 2, "kept out"), entry({3}, 2, "kept out")}, true);
  EXPECT_EQ(seeds.find(Key{2})->source, "old");
  EXPECT_EQ(seeds.find(Key{3})->source, "kept out");
  seeds.add({entry({1}, 3, "new"), entry({0}, 3, "new")}, false);
  EXPECT_EQ(seeds.find(Key{1})->source, "new");
  EXPECT_EQ(seeds.find(Key{0})->source, "new");
  EXPECT_EQ(seeds.find(Key{2})->source, "old");
  EXPECT_EQ(seeds.entries().size(), 4u);
}

TEST(Seeds, OfOneKeyTwiceInOneTableAreTheFirst) {
  Seeds seeds;
  seeds.add({entry({1}, 1, "first"), entry({1}, 2, "second")}, false);
  EXPECT_EQ(seeds.entries().size(), 1u);
  EXPECT_EQ(seeds.find(Key{1})->source, "first");
}

// Keys come from the program: none may overflow.
TEST(SeedWindow, TakesKeysAtTheEndsOfTheRange) {
  Seeds seeds;
  const std::vector<std::int64_t> values = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
  std::vector<SeedEntry> entries;
  for (const std::int64_t value : values) entries.push_back(entry({value}, 0));
  seeds.add(entries, true);
  for (const Dimension& dimension : {size_dimension("m"), linear_dimension("m"), label_dimension("m", {"a"})})
    for (const std::int64_t value : values)
      for (const double limit : {0.0, 1.0, 40.0, 1e14, std::numeric_limits<double>::infinity()}) {
        bool found = false;
        for (const SeedEntry& seed : seeds.window(Key{value}, dimension, limit))
          found = found || seed.key[0] == value;
        EXPECT_TRUE(found) << value << " within " << limit;
      }
}

}  // namespace
}  // namespace adaptive::core

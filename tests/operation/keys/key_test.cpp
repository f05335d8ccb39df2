// Tests keys, which are tuples of integers stored inline.
#include <adaptive/key.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>
#include <vector>

#include <adaptive/operation.hpp>

namespace adaptive {
namespace {

enum class Bits : std::uint8_t { two = 2, four = 4 };

static_assert(std::is_trivially_copyable_v<Key>);
static_assert(std::is_nothrow_copy_constructible_v<Key>);
static_assert(!std::is_constructible_v<Key, double>, "a value is an integer");
static_assert(!std::is_constructible_v<Key, int, int, int, int, int, int, int, int, int, int, int, int, int>,
              "13 values do not compile");

template <class T>
concept SelectsABareNumber = requires(T& operation) {
  operation.select(7);
};
template <class T>
concept SelectsInBraces = requires(T& operation) {
  operation.select({7});
};
static_assert(!SelectsABareNumber<Operation>, "braces are missing");
static_assert(SelectsInBraces<Operation>);
static_assert(!std::is_convertible_v<int, Key>);
static_assert(std::is_constructible_v<Key, int> && std::is_constructible_v<Key, Bits>);

TEST(Key, TakesIntegersOfEveryTypeAndEnumerations) {
  const Key key{std::uint8_t{1}, std::int16_t{-2}, 3u, 4ll, true, Bits::four};
  ASSERT_EQ(key.size(), 6u);
  EXPECT_EQ(key[0], 1);
  EXPECT_EQ(key[1], -2);
  EXPECT_EQ(key[2], 3);
  EXPECT_EQ(key[3], 4);
  EXPECT_EQ(key[4], 1);
  EXPECT_EQ(key[5], 4);
}

TEST(Key, OfASpanEqualsTheSameValuesWritten) {
  const std::vector<std::int64_t> values = {5, 6, 7};
  EXPECT_EQ(Key(values), (Key{5, 6, 7}));
  EXPECT_EQ(Key(std::span<const std::int64_t>()), Key());
}

TEST(Key, OfMoreValuesThanFitIsOneThatNoOperationAccepts) {
  const std::vector<std::int64_t> values(Key::capacity + 5, 1);
  const Key key{std::span<const std::int64_t>(values)};
  EXPECT_EQ(key.size(), Key::capacity + 1);
  EXPECT_TRUE(key.values().empty());
  // Comparing must not read beyond the array (seen by the sanitizers).
  EXPECT_EQ(key, key);
  EXPECT_FALSE(key < key);
  EXPECT_FALSE(key == (Key{1, 1}));
  EXPECT_NE((Key{1, 1}) < key, key < (Key{1, 1}));
}

TEST(Key, IsEqualOnlyWithTheSameNumberOfValues) {
  EXPECT_EQ((Key{1, 2}), (Key{1, 2}));
  EXPECT_NE((Key{1, 2}), (Key{2, 1}));
  EXPECT_NE((Key{1}), (Key{1, 0}));
  EXPECT_NE(Key(), Key{0});
}

TEST(Key, IsOrderedLexicographically) {
  EXPECT_LT((Key{1, 9}), (Key{2, 0}));
  EXPECT_LT((Key{1, 2}), (Key{1, 3}));
  EXPECT_LT((Key{1}), (Key{1, -5}));  // the shorter first
  EXPECT_LT((Key{-1}), (Key{0}));
  EXPECT_FALSE((Key{1, 2}) < (Key{1, 2}));
}

TEST(Key, HoldsTwelveValues) {
  Key key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  ASSERT_EQ(key.size(), Key::capacity);
  key[11] = INT64_MIN;
  EXPECT_EQ(key.values().back(), INT64_MIN);
}

static_assert(Key{1, 2} == Key{1, 2}, "usable in constant expressions");

}  // namespace
}  // namespace adaptive

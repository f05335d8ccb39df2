// Tests the index of the launch path: collisions, wrap-around, crowding.
#include <adaptive/detail/key_table.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "operation/keys/head_arena.hpp"
#include "tests/operation/keys/any_learner.hpp"

namespace adaptive::inline v1::detail {
namespace {

class KeyTables : public testing::Test {
 protected:
  const KeyHead& head(const Key& key) { return arena_.add(learner_.get(), key); }

  AnyLearner learner_;
  core::HeadArena arena_{Key::capacity};
};

TEST_F(KeyTables, AreEmptyAtFirst) {
  const KeyTable::Owner table = KeyTable::make(6);
  EXPECT_EQ(table->capacity(), 64u);
  EXPECT_EQ(table->find(Key{1}, hash(Key{1})), nullptr);
}

TEST_F(KeyTables, TellKeysOfOneSlotAndOneTagApart) {
  const KeyTable::Owner owner = KeyTable::make(4);
  KeyTable& table = *owner;
  const KeyHead& one = head(Key{1});
  const KeyHead& two = head(Key{2});
  const std::uint64_t same = 0x1234'5678'9ABC'DEF0u;
  ASSERT_TRUE(table.insert(one, same));
  EXPECT_EQ(table.find(Key{2}, same), nullptr);
  ASSERT_TRUE(table.insert(two, same));
  EXPECT_EQ(table.find(Key{1}, same), &one);
  EXPECT_EQ(table.find(Key{2}, same), &two);
}

TEST_F(KeyTables, ProbeBeyondTheLastSlot) {
  const KeyTable::Owner owner = KeyTable::make(2);
  KeyTable& table = *owner;
  const KeyHead& one = head(Key{1});
  const KeyHead& two = head(Key{2});
  const KeyHead& three = head(Key{3});
  const std::uint64_t last = ~std::uint64_t{0};
  ASSERT_TRUE(table.insert(one, last));
  ASSERT_TRUE(table.insert(two, last));
  ASSERT_TRUE(table.insert(three, last));
  EXPECT_EQ(table.find(Key{3}, last), &three);
  EXPECT_EQ(table.find(Key{4}, last), nullptr);
}

// The longest run of occupied slots for keys of a shape in a half-full table; tables never become fuller.
std::size_t longest_run(const std::vector<Key>& keys) {
  unsigned log2 = 1;
  while ((std::size_t{1} << log2) < keys.size() * 2) ++log2;
  const std::size_t size = std::size_t{1} << log2;
  std::vector<bool> taken(size, false);
  for (const Key& key : keys) {
    std::size_t slot = hash(key) >> (64 - log2);
    while (taken[slot]) slot = (slot + 1) % size;
    taken[slot] = true;
  }
  std::size_t longest = 0;
  std::size_t run = 0;
  for (std::size_t i = 0; i < 2 * size; ++i) {
    run = taken[i % size] ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

TEST(Hash, SpreadsTheShapesThatProgramsHave) {
  std::vector<Key> tokens;
  std::vector<Key> doublings;
  std::vector<Key> grid;
  std::vector<Key> aligned;
  for (std::int64_t i = 0; i < 4096; ++i) {
    tokens.push_back(Key{i, 4096, 14336});
    aligned.push_back(Key{i * 4096, 4096});
    grid.push_back(Key{(i % 64) * 128, (i / 64) * 256, 8});
  }
  for (std::int64_t i = 0; i < 40; ++i)
    for (std::int64_t j = 0; j < 40; ++j)
      doublings.push_back(Key{std::int64_t{1} << i, std::int64_t{1} << j, 1024});
  // Uniform hashing gives about 60 at this size; a few times that is still only a few cache lines of probing.
  EXPECT_LT(longest_run(tokens), 200u);
  EXPECT_LT(longest_run(aligned), 200u);
  EXPECT_LT(longest_run(grid), 200u);
  EXPECT_LT(longest_run(doublings), 200u);
}

TEST(HeadArena, AlignsHeadsToTheirCacheLine) {
  AnyLearner learner;
  for (const std::size_t dimensions : {1u, 6u, 7u, 12u}) {
    core::HeadArena arena(dimensions);
    const std::vector<std::int64_t> values(dimensions, -7);
    for (int i = 0; i < 200; ++i) {
      const KeyHead& head = arena.add(learner.get(), Key(values));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&head) % KeyHead::line, 0u);
      EXPECT_EQ(head.values()[dimensions - 1], -7);
      EXPECT_EQ(head.learner, &learner.get());
    }
  }
  EXPECT_EQ(KeyHead::stride(6), 64u);
  EXPECT_EQ(KeyHead::stride(7), 128u);
}

TEST(Hash, DependsOnTheOrderOfTheValues) {
  EXPECT_NE(hash(Key{1, 2}), hash(Key{2, 1}));
  EXPECT_NE(hash(Key{0, 1}), hash(Key{1, 0}));
}

TEST_F(KeyTables, HoldKeysOfTwelveValues) {
  const KeyTable::Owner owner = KeyTable::make(4);
  KeyTable& table = *owner;
  const Key key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const Key other{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13};
  const KeyHead& entry = head(key);
  ASSERT_TRUE(table.insert(entry, hash(key)));
  EXPECT_EQ(table.find(key, hash(key)), &entry);
  EXPECT_EQ(table.find(other, hash(key)), nullptr);
}

}  // namespace
}  // namespace adaptive::detail

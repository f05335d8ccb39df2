// Tests that keys are found while the index grows, and are listed in order.
#include "operation/keys/key_index.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/operation/keys/any_learner.hpp"

namespace adaptive::core {
namespace {

const std::vector<Dimension> index_dimensions = {{"m"}, {"n"}};

class KeyIndexTest : public testing::Test {
 protected:
  static const detail::KeyHead* find_by_size(const KeyIndex::TablesBySize& by_size, const Key& key) {
    return by_size[key.size()].load()->find(key, detail::hash(key));
  }

  Learners learners_;
  KeyIndex::TablesBySize by_size_{};
};

TEST_F(KeyIndexTest, FindsEveryKeyWhileItGrows) {
  KeyIndex index(index_dimensions, 1000, by_size_);
  for (std::int64_t i = 0; i < 300; ++i) {
    const Key key{i, -i};
    EXPECT_EQ(index.find(key), nullptr);
    const detail::KeyHead* head = index.insert(learners_.make(key));
    ASSERT_NE(head, nullptr);
    EXPECT_EQ(head, &index.keys().back()->head());
    EXPECT_EQ(head->learner, index.keys().back().get());
  }
  ASSERT_EQ(index.size(), 300u);
  for (const auto& key : index.keys()) {
    EXPECT_EQ(index.find(key->key()), &key->head());
    EXPECT_EQ(find_by_size(by_size_, key->key()), &key->head());
  }
}

TEST_F(KeyIndexTest, FindsNothingByAnotherNumberOfValues) {
  const KeyIndex index(index_dimensions, 10, by_size_);
  EXPECT_EQ(find_by_size(by_size_, Key{1}), nullptr);
  EXPECT_EQ(find_by_size(by_size_, Key{1, 2, 3}), nullptr);
}

TEST_F(KeyIndexTest, FindsRoundedKeysByFindAlone) {
  std::vector<Dimension> rounded = index_dimensions;
  rounded[0].rounding = Rounding::power_of_two;
  KeyIndex index(rounded, 10, by_size_);
  const detail::KeyHead* head = index.insert(learners_.make({8, 1}));
  EXPECT_EQ(index.find({8, 1}), head);
  EXPECT_EQ(find_by_size(by_size_, Key{8, 1}), nullptr) << "select would take 7 for a key of its own";
}

TEST_F(KeyIndexTest, ListsTheLatestKeysInTheirOrder) {
  KeyIndex index(index_dimensions, 10, by_size_);
  for (std::int64_t i = 0; i < 5; ++i) index.insert(learners_.make({i, 0}));
  ASSERT_EQ(index.latest(2).size(), 2u);
  EXPECT_EQ(index.latest(2)[0]->key(), (Key{3, 0}));
  EXPECT_EQ(index.latest(2)[1]->key(), (Key{4, 0}));
  EXPECT_EQ(index.latest(100).size(), 5u);
  EXPECT_TRUE(index.latest(0).empty());
}

TEST_F(KeyIndexTest, IsFullAtItsLimit) {
  KeyIndex index(index_dimensions, 2, by_size_);
  index.insert(learners_.make({1, 0}));
  EXPECT_FALSE(index.is_full());
  index.insert(learners_.make({2, 0}));
  EXPECT_TRUE(index.is_full());
}

}  // namespace
}  // namespace adaptive::core

// Tests properties of any two keys, and of the table in which they are found.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <vector>

#include <adaptive/detail/key_table.hpp>
#include <adaptive/key.hpp>
#include "operation/keys/head_arena.hpp"
#include "tests/base/properties.hpp"
#include "tests/operation/keys/any_learner.hpp"

namespace adaptive {
namespace {

const bool same_keys = test::same_inputs(100, 1);

// Small values make equal and adjacent keys likely. `shift` moves them to the upper bits, where weak hashes
// fail.
Key key_of(const std::vector<std::int64_t>& values, unsigned shift = 0) {
  Key key{std::span<const std::int64_t>(values)};
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(key[i]) << shift);
  return key;
}

rc::Gen<std::vector<std::int64_t>> values(std::size_t count) {
  return rc::gen::container<std::vector<std::int64_t>>(count, rc::gen::inRange<std::int64_t>(-3, 40));
}

RC_GTEST_PROP(KeyOrder, IsAStrictTotalOrder, ()) {
  const Key a = key_of(*values(*rc::gen::inRange<std::size_t>(1, 4)));
  const Key b = key_of(*values(*rc::gen::inRange<std::size_t>(1, 4)));
  const Key c = key_of(*values(*rc::gen::inRange<std::size_t>(1, 4)));
  RC_ASSERT((a < b) + (b < a) + (a == b) == 1);
  if (a < b && b < c) RC_ASSERT(a < c);
}

RC_GTEST_PROP(KeyTable, FindsWhatWasInsertedAndNothingElse, ()) {
  const auto arity = *rc::gen::inRange<std::size_t>(1, Key::capacity + 1);
  const auto shift = *rc::gen::element(0u, 1u, 13u, 32u, 50u, 57u);
  const auto tuples = *rc::gen::container<std::vector<std::vector<std::int64_t>>>(values(arity));
  const detail::KeyTable::Owner owner = detail::KeyTable::make(10);
  detail::KeyTable& table = *owner;
  AnyLearner learner;
  core::HeadArena arena(arity);
  std::map<Key, const detail::KeyHead*> heads;
  for (std::size_t i = 0; i < tuples.size() && heads.size() < table.capacity() / 2; ++i) {
    const Key key = key_of(tuples[i], shift);
    if (heads.contains(key)) continue;
    RC_ASSERT(table.find(key, detail::hash(key)) == nullptr);
    heads.emplace(key, &arena.add(learner.get(), key));
    RC_ASSERT(table.insert(*heads.at(key), detail::hash(key)));
  }
  for (const auto& [key, head] : heads) RC_ASSERT(table.find(key, detail::hash(key)) == head);
}

RC_GTEST_PROP(KeyTable, ComparesTheValuesWhereHashesCollide, ()) {
  // The hash is given, so every key can be made to collide with every other.
  const auto hash = *rc::gen::arbitrary<std::uint64_t>();
  const auto count = *rc::gen::inRange<std::int64_t>(1, 30);
  const detail::KeyTable::Owner owner = detail::KeyTable::make(6);
  detail::KeyTable& table = *owner;
  AnyLearner learner;
  core::HeadArena arena(2);
  std::vector<const detail::KeyHead*> heads;
  for (std::int64_t i = 0; i < count; ++i) {
    heads.push_back(&arena.add(learner.get(), Key{i, -i}));
    RC_ASSERT(table.insert(*heads.back(), hash));
  }
  for (std::int64_t i = 0; i < count; ++i)
    RC_ASSERT(table.find(Key{i, -i}, hash) == heads[static_cast<std::size_t>(i)]);
  RC_ASSERT(table.find(Key{count, -count}, hash) == nullptr);
}

}  // namespace
}  // namespace adaptive

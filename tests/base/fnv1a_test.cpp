#include "base/fnv1a.hpp"

#include <gtest/gtest.h>

namespace adaptive::inline v1::core {
namespace {

// Files contain names made from these hashes, so the values must never change.
TEST(Fnv1a, HasThePublishedValues) {
  static_assert(Fnv1a().value() == 0xCBF29CE484222325u);
  static_assert(Fnv1a().add("a").value() == 0xAF63DC4C8601EC8Cu);
  static_assert(Fnv1a().add("foobar").value() == 0x85944171F73967E8u);
  EXPECT_EQ(Fnv1a().add("foo").add("bar").value(), Fnv1a().add("foobar").value());
}

TEST(Fnv1a, TakesTheLowestByteOfAWordFirst) {
  EXPECT_EQ(Fnv1a().add(std::uint64_t{0x6867666564636261}).value(), Fnv1a().add("abcdefgh").value());
}

TEST(Fnv1a, DiffersBySeed) {
  EXPECT_NE(Fnv1a(1).add("a").value(), Fnv1a(2).add("a").value());
  EXPECT_EQ(Fnv1a(0).add("a").value(), Fnv1a().add("a").value());
}

}  // namespace
}  // namespace adaptive::core

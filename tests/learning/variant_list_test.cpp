// Variants are appended while others read: elements never move.
#include "learning/variant_list.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace adaptive::inline v1::core {
namespace {

TEST(VariantList, KeepsElementsWhereTheyAre) {
  VariantList list;
  list.append({.name = "first"});
  const ListedVariant* first = &list[0];
  for (int i = 1; i < 1000; ++i)
    EXPECT_EQ(list.append({.name = std::to_string(i)}), static_cast<std::uint32_t>(i));
  EXPECT_EQ(list.size(), 1000u);
  EXPECT_EQ(&list[0], first);
  EXPECT_EQ(list[0].spec.name, "first");
  EXPECT_EQ(list[999].spec.name, "999");
  EXPECT_TRUE(list[999].enabled);
}

TEST(VariantList, HoldsAsManyAsAPlanCanName) {
  VariantList list;
  for (std::size_t i = 0; i < VariantList::capacity; ++i) list.append({.name = "v"});
  EXPECT_EQ(list.size(), VariantList::capacity);
  EXPECT_EQ(list[static_cast<std::uint32_t>(VariantList::capacity - 1)].spec.name, "v");
}

TEST(VariantList, ShowsReadersWholeElements) {
  VariantList list;
  list.append({.name = "0"});
  std::thread reader([&] {
    for (std::uint32_t seen = 0; seen < 300; seen = list.size())
      for (std::uint32_t i = seen > 3 ? seen - 3 : 0; i < seen; ++i)
        ASSERT_EQ(list[i].spec.name, std::to_string(i));
  });
  for (int i = 1; i < 300; ++i) list.append({.name = std::to_string(i)});
  reader.join();
}

}  // namespace
}  // namespace adaptive::core

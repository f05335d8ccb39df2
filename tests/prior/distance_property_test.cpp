// The distance is a metric, and rounding gives every class of keys one name.
#include "base/key_values.hpp"
#include "prior/distance.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <adaptive/selector.hpp>

#include "tests/base/properties.hpp"

namespace adaptive::inline v1::core {
namespace {

const bool same_keys = test::same_inputs(100, 1);

const std::vector<Dimension>& dimensions() {
  static const std::vector<Dimension> all = {
      size_dimension("m"), size_dimension("n", 0.25), linear_dimension("load", 2.0),
      label_dimension("dtype", {"a", "b", "c"}), set_dimension("bits", {"2", "3", "4"})};
  return all;
}

// Few labels, so that finite distances are common.
Key any_key() {
  return {*rc::gen::inRange<std::int64_t>(1, 1 << 20), *rc::gen::inRange<std::int64_t>(1, 64),
          *rc::gen::inRange<std::int64_t>(-50, 50), *rc::gen::inRange<std::int64_t>(0, 2),
          *rc::gen::inRange<std::int64_t>(0, 2)};
}

RC_GTEST_PROP(Distance, IsSymmetric, ()) {
  const Key a = any_key();
  const Key b = any_key();
  RC_ASSERT(distance(dimensions(), a, b) == distance(dimensions(), b, a));
}

RC_GTEST_PROP(Distance, IsZeroForTheKeyItselfAlone, ()) {
  const Key a = any_key();
  const Key b = any_key();
  RC_ASSERT(distance(dimensions(), a, a) == 0.0);
  RC_ASSERT((distance(dimensions(), a, b) == 0.0) == (a == b));
  RC_ASSERT(distance(dimensions(), a, b) >= 0.0);
}

RC_GTEST_PROP(Distance, HoldsTheTriangleInequality, ()) {
  const Key a = any_key();
  const Key b = any_key();
  const Key c = any_key();
  const double around = distance(dimensions(), a, b) + distance(dimensions(), b, c);
  RC_ASSERT(distance(dimensions(), a, c) <= around * (1 + 1e-12) + 1e-12);
}

RC_GTEST_PROP(Distance, IsInfiniteExactlyWhereALabelDiffers, ()) {
  const Key a = any_key();
  const Key b = any_key();
  RC_ASSERT(std::isinf(distance(dimensions(), a, b)) == (a[3] != b[3] || a[4] != b[4]));
}

RC_GTEST_PROP(LabelSet, DoesNotDependOnTheOrderOfItsLabels, ()) {
  const std::vector<std::string> names = {"2", "3", "4", "5", "6", "8", "16"};
  Selector selector({.use_environment = false});
  const Operation& operation = selector.define(
      {.name = "f", .dimensions = {set_dimension("bits", names)}, .variants = {{.name = "a"}}});
  std::vector<std::string> chosen =
      *rc::gen::container<std::vector<std::string>>(3, rc::gen::elementOf(names));
  const std::int64_t value = operation.labels("bits", {chosen[0], chosen[1], chosen[2]});
  std::sort(chosen.begin(), chosen.end());
  do {
    RC_ASSERT(operation.labels("bits", {chosen[0], chosen[1], chosen[2]}) == value);
  } while (std::next_permutation(chosen.begin(), chosen.end()));
}

RC_GTEST_PROP(Canonical, IsIdempotentAndNeverSmaller, ()) {
  const std::vector<Dimension> rounded = {size_dimension("m", 1.0, Rounding::power_of_two),
                                          size_dimension("n")};
  const Key key{*rc::gen::arbitrary<std::int64_t>(), *rc::gen::arbitrary<std::int64_t>()};
  const Key once = canonical(rounded, key);
  RC_ASSERT(canonical(rounded, once) == once);
  RC_ASSERT(once[0] >= key[0]);
  RC_ASSERT(once[1] == key[1]);
}

RC_GTEST_PROP(Canonical, OfTwoSizesIsEqualWhereTheirNextPowersOfTwoAre, ()) {
  const std::vector<Dimension> rounded = {size_dimension("m", 1.0, Rounding::power_of_two)};
  const auto a = *rc::gen::inRange<std::int64_t>(1, 5000);
  const auto b = *rc::gen::inRange<std::int64_t>(1, 5000);
  const auto power = [](std::int64_t v) { return std::ceil(std::log2(static_cast<double>(v))); };
  RC_ASSERT((canonical(rounded, Key{a}) == canonical(rounded, Key{b})) == (power(a) == power(b)));
}

}  // namespace
}  // namespace adaptive::core

// The window of seeds leaves out none that brute force finds.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "prior/distance.hpp"
#include "prior/starting_point.hpp"
#include "tests/base/properties.hpp"

namespace adaptive::inline v1::core {
namespace {

const bool same_seeds = test::same_inputs(100, 1);

Dimension any_dimension() {
  const double weight = *rc::gen::element(0.0, 0.25, 1.0, 3.0);
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      return size_dimension("first", weight);
    case 1:
      return linear_dimension("first", weight);
    default:
      return label_dimension("first", {"a", "b", "c"});
  }
}

rc::Gen<std::int64_t> values() {
  return rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-4, 70), rc::gen::inRange<std::int64_t>(-4, 1 << 20));
}

RC_GTEST_PROP(SeedWindow, HoldsAllWithinTheLimit, ()) {
  const std::vector<Dimension> dimensions = {any_dimension(), size_dimension("second")};
  std::vector<SeedEntry> entries;
  for (const std::int64_t value : *rc::gen::container<std::vector<std::int64_t>>(values())) {
    SeedEntry& entry = entries.emplace_back();
    entry.key = Key{value, *rc::gen::element<std::int64_t>(8, 16)};
  }
  Seeds seeds;
  seeds.add(entries, true);
  const Key key{*values(), *rc::gen::element<std::int64_t>(8, 16)};
  const double limit =
      *rc::gen::element(0.0, 0.1, 1.0, 2.0, 7.5, 60.0, std::numeric_limits<double>::infinity());
  std::set<Key> window;
  for (const SeedEntry& entry : seeds.window(key, dimensions[0], limit)) window.insert(entry.key);
  for (const SeedEntry& entry : seeds.entries())
    if (distance(dimensions, key, entry.key) <= limit && std::isfinite(distance(dimensions, key, entry.key)))
      RC_ASSERT(window.contains(entry.key));
}

// Independent of the window, of sorting and of ties: the least distance, then the smaller key.
RC_GTEST_PROP(StartingPoint, IsTheNearestThatBruteForceFinds, ()) {
  const std::vector<Dimension> dimensions = {any_dimension(), size_dimension("second", 0.5)};
  const std::vector<std::uint32_t> candidates = {0, 2, 3};
  std::vector<SeedEntry> entries;
  for (const std::int64_t value : *rc::gen::container<std::vector<std::int64_t>>(values())) {
    SeedEntry& entry = entries.emplace_back();
    entry.key = Key{value, *rc::gen::inRange<std::int64_t>(1, 40)};
    entry.incumbent = *rc::gen::inRange<std::uint32_t>(0, 4);  // 1 cannot run the key
  }
  Seeds seeds;
  seeds.add(entries, true);
  const StartingRequest request{
      dimensions, Key{*values(), *rc::gen::inRange<std::int64_t>(1, 40)},
      *rc::gen::element(0.0, 0.5, 1.0, 3.0, std::numeric_limits<double>::infinity()), candidates, 1};
  const StartingPoint start = starting_point(request, seeds, {});
  if (const SeedEntry* exact = seeds.find(request.key)) {
    RC_ASSERT(start.match.kind == MatchKind::exact);
    RC_ASSERT(candidates[start.candidate] == (exact->incumbent == 1 ? candidates[1] : exact->incumbent));
    return;
  }
  const SeedEntry* nearest = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const SeedEntry& entry : seeds.entries()) {
    const double at = distance(dimensions, request.key, entry.key);
    if (entry.incumbent == 1 || at > request.nearest_limit || !(at < least)) continue;
    nearest =
        &entry;  // entries are in the order of their keys: the first of equally near ones is the smallest
    least = at;
  }
  if (nearest == nullptr) {
    RC_ASSERT(start.match.kind == MatchKind::fallback);
    RC_ASSERT(start.candidate == request.fallback);
  } else {
    RC_ASSERT(start.match.kind == MatchKind::nearest);
    RC_ASSERT(start.match.source == nearest->key);
    RC_ASSERT(start.match.distance == least);
    RC_ASSERT(candidates[start.candidate] == nearest->incumbent);
  }
}

}  // namespace
}  // namespace adaptive::core

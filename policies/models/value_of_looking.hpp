// What a look at a candidate can bring, against what it costs, and how well that was expected.
#pragma once

#include <algorithm>
#include <cstdint>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::policies {

/// E[(m - X)+] of a normal X of that deviation whose mean lies `behind` above m: what could be gained per
/// call if X turned out to be below m and were used from then on.
double expected_gain(double behind, double deviation) noexcept;

/// The x with x - ln(x)/2 - 1 = information, at least 1: the evidence against a candidate, in natural units,
/// that rules a look at it out until exp(x) times as many calls as looks. Lai, "Adaptive treatment allocation
/// and the multi-armed bandit problem", Annals of Statistics 15 (1987): of ln(t/n), the half of its own
/// logarithm is not worth buying, nor a constant, which tells most in the first hundreds of calls.
double lai_boundary(double information) noexcept;

/// From which call on another look need not wait for what those on their way will say: 0 if none is out, or
/// if results take longer than waiting pays for. A result that takes longer than any lately may be lost.
/// `is_look(i)` tells whether a launch of candidate `i` is a look that can change what is looked at next.
template <class IsLook>
double looks_are_heard_at(const KeyStatistics& key, IsLook&& is_look) noexcept {
  constexpr double wait_max = 8.0;  // calls
  if (key.delay() > wait_max) return 0.0;
  const double wait = key.results > 0 ? key.delay() + 1.0 : wait_max;
  double at = 0.0;
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (key[i].pending > 0 && is_look(i)) at = std::max(at, key[i].asked_at + wait);
  return at;
}

}  // namespace adaptive::policies

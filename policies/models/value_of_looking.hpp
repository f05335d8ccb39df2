// The expected gain of a look at a candidate, and when the next look may start.
#pragma once

#include <algorithm>
#include <cstdint>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::policies {

/// Expected improvement E[max(0, m - X)] for a normal X with this standard deviation and the mean m +
/// `behind`: the expected gain per later call, where m is the leader's log latency and X the candidate's.
double expected_gain(double behind, double deviation) noexcept;

/// Returns the x >= 1 with x - ln(x)/2 - 1 = `information`, the evidence against a candidate in nats. A
/// candidate with n results and this evidence is not looked at again before n · exp(x) calls. Source: Lai,
/// "Adaptive treatment allocation and the multi-armed bandit problem", Annals of Statistics 15 (1987). At t
/// calls, less evidence than ln(t/n) rules a candidate out: less by half the logarithm of ln(t/n), and less
/// by a constant, which matters most during the first hundreds of calls. More evidence would cost more than
/// it is worth.
double lai_boundary(double information) noexcept;

/// The number of the key's calls from which the next look may start without waiting for the results of
/// outstanding looks. It is 0 if no look is outstanding, or if results take so long that waiting does not
/// pay. A result that takes longer than any recent one may be lost, so that it is not waited for.
/// `is_look(i)`: whether a launch of candidate `i` is a look whose result can change the choice of the next
/// look.
template <class IsLook>
double looks_are_heard_at(const KeyStatistics& key, IsLook&& is_look) noexcept {
  constexpr double wait_max = 8.0;  // largest number of the key's calls to wait for a result
  if (key.delay() > wait_max) return 0.0;
  const double wait = key.results > 0 ? key.delay() + 1.0 : wait_max;
  double at = 0.0;
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (key[i].pending > 0 && is_look(i)) at = std::max(at, key[i].asked_at + wait);
  return at;
}

}  // namespace adaptive::policies

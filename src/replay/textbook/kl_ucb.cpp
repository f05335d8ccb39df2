#include "replay/textbook/kl_ucb.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/explore_first.hpp"

namespace adaptive::inline v1::replay {

using policies::next_look;
using policies::pulls;

Choice KlUcb::choose(const KeyStatistics& key, Random&) noexcept {
  if (const auto look = next_look(key, 1)) return {*look, true};
  const std::uint32_t leader = key.leader(true);
  if (key[leader].count == 0) return {leader, true};

  const double log_calls = std::log(std::max(key.calls, 1.0));
  const double exploration = log_calls + options_.c * std::log(std::max(log_calls, 1.0));
  const double deviation = key.deviation();
  const double location_max = key[leader].location + options_.gap_max * deviation;
  std::uint32_t best = leader;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    const VariantStatistics& c = key[i];
    if (!c.available || c.count == 0) continue;  // without a count its first result is still out
    const double width = deviation * std::sqrt(2.0 * exploration / static_cast<double>(pulls(c)));
    const double index = std::min(c.location, location_max) - width;
    if (index < least || (index == least && i == leader)) {
      least = index;
      best = i;
    }
  }
  return {best, true};
}

Unconsulted KlUcb::unconsulted(const KeyStatistics& key) const noexcept {
  return {key.leader(true), key.settled ? options_.consulted_settled : 1.0};
}

}  // namespace adaptive::replay

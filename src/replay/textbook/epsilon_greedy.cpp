#include "replay/textbook/epsilon_greedy.hpp"

#include <algorithm>

#include "policies/explore_first.hpp"

namespace adaptive::inline v1::replay {

using policies::next_look;

Choice EpsilonGreedy::choose(const KeyStatistics& key, Random& random) noexcept {
  if (const auto look = next_look(key, 1)) return {*look, true};
  const auto available = static_cast<std::uint32_t>(std::count_if(
      key.candidates.begin(), key.candidates.end(), [](const VariantStatistics& c) { return c.available; }));
  double epsilon = options_.epsilon;
  if (options_.decay > 0.0)
    epsilon = std::min(epsilon, options_.decay * static_cast<double>(available) / std::max(key.calls, 1.0));
  if (available > 0 && random.uniform() < epsilon) {
    std::uint32_t left = random.below(available);
    for (std::uint32_t i = 0; i < key.size(); ++i)
      if (key[i].available && left-- == 0) return {i, true};
  }
  return {key.leader(true), true};
}

Unconsulted EpsilonGreedy::unconsulted(const KeyStatistics& key) const noexcept {
  return {key.leader(true), key.settled ? options_.consulted_settled : 1.0};
}

}  // namespace adaptive::replay

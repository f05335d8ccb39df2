#include "explore_first.hpp"

#include <algorithm>

namespace adaptive::inline v1::policies {
namespace {

bool looks_before(const KeyStatistics& key, std::uint32_t a, std::uint32_t b) noexcept {
  if (pulls(key[a]) != pulls(key[b])) return pulls(key[a]) < pulls(key[b]);
  if (a == key.incumbent || b == key.incumbent) return a == key.incumbent;
  if (key[a].has_prior() != key[b].has_prior()) return key[a].has_prior();
  return key[a].has_prior() && key[a].prior < key[b].prior;
}

}  // namespace

std::optional<std::uint32_t> next_look(const KeyStatistics& key, std::uint64_t samples) noexcept {
  std::optional<std::uint32_t> next;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available || pulls(key[i]) >= samples) continue;
    if (!next || looks_before(key, i, *next)) next = i;
  }
  return next;
}

bool ExploreFirst::complete(const KeyStatistics& key) const noexcept {
  return std::all_of(key.candidates.begin(), key.candidates.end(),
                     [&](const VariantStatistics& c) { return !c.available || c.count >= options_.samples; });
}

bool ExploreFirst::committed(const KeyStatistics& key) const noexcept {
  return committed_ < key.size() && key[committed_].available;
}

Choice ExploreFirst::choose(const KeyStatistics& key, Random&) noexcept {
  // The last results may be outstanding or lost. Timing continues, because a lost result is given up only
  // after further timed launches.
  if (!complete(key)) {
    committed_ = none;
    return {next_look(key, options_.samples).value_or(key.leader(true)), true};
  }
  if (!committed(key)) committed_ = key.leader();
  return {committed_, true};
}

Unconsulted ExploreFirst::unconsulted(const KeyStatistics& key) const noexcept {
  if (!complete(key) || !committed(key)) return {key.leader(true), 1.0};
  return {committed_, options_.consulted};
}

}  // namespace adaptive::policies

#include "replay/summary.hpp"

#include <algorithm>

namespace adaptive::inline v1::replay {

double Distribution::quantile(double share) const {
  std::vector<double> sorted = values_;
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

void Summary::add(const Outcome& outcome) {
  for (std::size_t i = 0; i < overhead.size() && i < outcome.overhead.size(); ++i)
    overhead[i].add(outcome.overhead[i]);
  realized.add(outcome.overhead_realized);
  timed.add(outcome.timed_share);
  if (outcome.last_half.calls > 0) last_half.add(outcome.last_half.mean());
  if (outcome.last_quarter.calls > 0) last_quarter.add(outcome.last_quarter.mean());
  if (outcome.late_timed.calls > 0) late_timed.add(outcome.late_timed.mean());
  kept_gap.add(outcome.kept_gap);
  promoted.add(outcome.promoted);
  confirmed.add(outcome.confirmed);
  ended_slow += outcome.gap_leader > tie ? 1 : 0;
  if (outcome.fixed) {
    fixed_default.add(outcome.fixed->overhead_default);
    fixed_best.add(outcome.fixed->overhead_best);
    windows += outcome.fixed->windows;
    windows_behind_default += outcome.fixed->windows_behind_default;
  }
  promotions.add(static_cast<double>(outcome.promotions));
  if (outcome.reaction) {
    reaction.add(static_cast<double>(*outcome.reaction));
    reaction_calls.add(static_cast<double>(*outcome.reaction));
    reaction_timed.add(static_cast<double>(outcome.reaction_timed));
  } else if (outcome.reaction_awaited) {
    ++unreacted;
  }
  ++runs;
  wrong += outcome.wrong_promotions;
}

}  // namespace adaptive::replay

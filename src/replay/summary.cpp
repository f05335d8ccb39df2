#include "replay/summary.hpp"

namespace adaptive::replay {

void Summary::add(const Outcome& outcome) {
  for (std::size_t i = 0; i < overhead.size() && i < outcome.overhead.size(); ++i)
    overhead[i].add(outcome.overhead[i]);
  realized.add(outcome.overhead_realized);
  timed.add(outcome.timed_share);
  promotions.add(static_cast<double>(outcome.promotions));
  if (outcome.reaction)
    reaction.add(static_cast<double>(*outcome.reaction));
  else
    ++unreacted;
  ++runs;
  wrong += outcome.wrong_promotions;
}

}  // namespace adaptive::replay

#include "cuda/graph/replay/looks.hpp"

#include <algorithm>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::cuda {
namespace {

bool still_learns(const Operation& operation) noexcept {
  const Mode mode = operation.mode();
  return mode == Mode::online || mode == Mode::observe;
}

}  // namespace

void ReplayLooks::add(Operation& operation, const Key& key, bool can_be_timed) {
  Launch launch{.operation = &operation, .site = {}};
  const auto first = first_of_.find({&operation, key});
  if (first != first_of_.end()) {
    ++launches_[first->second].in_a_replay;
  } else if (can_be_timed) {
    try {
      launch.site = operation.site(key);
      first_of_.emplace(OfKey{&operation, key}, launches_.size());
    } catch (const Error&) {
      // The key is not one of the operation's. `Operation::pin` has counted it and named the default.
    }
  }
  launches_.push_back(launch);
}

void ReplayLooks::clear() noexcept {
  for (std::size_t i = 0; i < launches_.size(); ++i) drop(i);
  launches_.clear();
  first_of_.clear();
  base_.clear();
}

void ReplayLooks::begin_replay(std::span<const std::uint32_t> base) {
  ++replay_;
  for (Launch& launch : launches_)
    if (launch.site)
      launch.undecided = std::min(launch.undecided + launch.in_a_replay, calls_max * launch.in_a_replay);
  const bool known = base_.size() == base.size();
  if (waiting() != 0)
    for (std::size_t i = 0; i < launches_.size(); ++i) {
      const Look* const look = waiting(i);
      if (look == nullptr) continue;
      const bool changed = known && base_[i] != base[i];
      if (changed || replay_ - look->since > held_max || !still_learns(operation(i))) drop(i);
    }
  if (!known || !std::equal(base.begin(), base.end(), base_.begin())) base_.assign(base.begin(), base.end());
}

void ReplayLooks::ask() noexcept {
  for (Launch& launch : launches_) {
    while (launch.undecided > 0 && !launch.look) {
      --launch.undecided;
      const Decision decision = launch.site->select();
      if (!decision.timed()) continue;
      launch.look = {decision, replay_};
      ++counters_.asked;
      ++counters_.waiting;
    }
  }
}

Decision ReplayLooks::take(std::size_t launch) noexcept {
  const Decision decision = launches_[launch].look->decision;
  launches_[launch].look.reset();
  --counters_.waiting;
  ++counters_.looks;
  return decision;
}

void ReplayLooks::drop(std::size_t launch) noexcept {
  if (!launches_[launch].look) return;
  launches_[launch].look.reset();
  --counters_.waiting;
  ++counters_.dropped;
}

std::optional<Decision> ReplayLooks::untimed(std::size_t launch, std::uint32_t variant) const noexcept {
  if (!launches_[launch].site) return std::nullopt;
  const Pin pin = launches_[launch].site->pin();
  if (pin.variant() != variant) return std::nullopt;
  return pin.decision();
}

}  // namespace adaptive::cuda

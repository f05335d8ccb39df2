// What a forked child makes of the keys of its parent.
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "operation/operation_state.hpp"

namespace adaptive::inline v1::core {
namespace {

// A thread that held the lock when the process forked does not exist in the child: nobody waits for it.
constexpr int lock_attempts = 4096;

void forget_own_results(KeyStatistics& statistics) noexcept {
  for (VariantStatistics& c : statistics.candidates) {
    c.set_aside = c.set_aside || c.failures > 0;
    c.total_count = c.failures = 0;
    c.mean_ns = c.squares_ns = 0.0;
  }
}

}  // namespace

void OperationState::begin_in_child(KeyState& key) const noexcept {
  std::unique_ptr<Policy> policy;
  try {
    policy = new_policy();
  } catch (...) {
    // The parent's policy goes on.
  }
  if (!key.lock.lock_for(lock_attempts)) return;
  const std::lock_guard lock(key.lock, std::adopt_lock);
  if (is_own(key)) return;  // another thread was faster
  key.forks.store(forks(), std::memory_order_relaxed);
  key.generation = 0;
  key.tickets.forget();
  for (VariantStatistics& candidate : key.statistics.candidates) candidate.pending = 0;
  try {
    if (policy != nullptr) return begin_in_child(key, policy);
  } catch (...) {
    // Memory is short.
  }
  // What the parent learned goes on to count for decisions, but not for what this process saves.
  forget_own_results(key.statistics);
}

void OperationState::begin_in_child(KeyState& key, std::unique_ptr<Policy>& policy) const {
  KeyStatistics& s = key.statistics;
  SeedEntry known{.key = key.key, .incumbent = key.variant_of(standing(key)), .trusted = true};
  known.source = "the parent process";
  known.variants = measured(s);
  const std::vector<VariantStatistics> before = s.candidates;
  // Where ranks have to agree, nothing counts but the tables.
  if (!known.variants.empty() && !shared_.rank_consistent) {
    std::vector<SeedVariant> inherited = known.variants;
    Seeds seeds;
    seeds.add({std::move(known)}, true);
    StartingPoint start = start_again(key, seeds, {});
    for (std::size_t i = 0; i < before.size(); ++i) {
      const VariantStatistics& c = before[i];
      if (c.count > 0 || !c.has_prior()) continue;
      // What a table said of a candidate that the parent did not measure still holds.
      start.prior[i] = c.prior;
      start.prior_deviation[i] = c.prior_deviation;
      start.prior_count[i] = c.prior_count;
      start.prior_loadings[i] = c.prior_loadings;
    }
    key.start = std::move(start);
    key.inherited = std::move(inherited);
  }
  begin(key, policy);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].failures == 0 && !before[i].set_aside) continue;
    s.candidates[i].set_aside = true;
    set_availability(s.candidates[i]);
  }
  s.incumbent = available_incumbent(key);
}

}  // namespace adaptive::core

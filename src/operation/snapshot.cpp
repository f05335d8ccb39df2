// What a table takes from a run.
#include <algorithm>
#include <cmath>

#include "operation/operation_state.hpp"

namespace adaptive::inline v1::core {

std::vector<SeedEntry> OperationState::snapshot() const {
  std::vector<SeedEntry> entries;
  const std::lock_guard lock(admin_);
  for (const auto& key : keys_) take_over(*key);
  for_each_key([&](const KeyState& key) {
    if (!is_own(key)) return;
    SeedEntry entry;
    entry.key = key.key;
    entry.generation = key.generation;
    for (const VariantStatistics& c : key.statistics.candidates) {
      if (c.total_count == 0 && c.failures == 0) continue;
      const double location = c.count > 0 ? std::exp(c.own_location()) : c.mean_ns;
      entry.variants.push_back(
          {c.variant, c.total_count, location, c.mean_ns, c.variance_ns(), c.failures, c.failed_at});
    }
    // A key that was reset and has no results yet still tells that the old ones are void.
    if (entry.variants.empty() && entry.generation == 0) return;
    if (!entry.variants.empty()) entry.incumbent = key.variant_of(standing(key));
    entries.push_back(std::move(entry));
  });
  return entries;
}

Counters OperationState::counters() const {
  Counters sum;
  const std::lock_guard lock(admin_);
  sum.keys = keys_.size();
  if (const RefusedKeys* refused = refused_.load(std::memory_order_acquire))
    sum.keys_refused = refused->calls();
  sum.wrong_arity = wrong_arity_.load(std::memory_order_relaxed);
  sum.keys_invalid = keys_invalid_.load(std::memory_order_relaxed);
  sum.unsupported = unsupported_.load(std::memory_order_relaxed);
  sum.contended = contended_.load(std::memory_order_relaxed);
  sum.results_dropped = dropped_.load(std::memory_order_relaxed);
  sum.results_invalid = invalid_.load(std::memory_order_relaxed);
  sum.failures = failures_elsewhere_.load(std::memory_order_relaxed);
  for_each_key([&](const KeyState& key) {
    const Counters& c = key.counters;
    sum.consulted += c.consulted;
    sum.timed += c.timed;
    sum.explored += c.explored;
    sum.results += c.results;
    sum.results_duplicate += c.results_duplicate;
    sum.results_expired += c.results_expired;
    sum.results_lost += c.results_lost;
    sum.failures += c.failures;
    sum.promotions += c.promotions;
    sum.demotions += c.demotions;
    sum.exploration_refused += c.exploration_refused;
    sum.choices_invalid += c.choices_invalid;
  });
  return sum;
}

Account OperationState::account() const {
  Account sum;
  const std::lock_guard lock(admin_);
  for_each_key([&](const KeyState& key) {
    if (!is_own(key)) return;
    const KeyStatistics& s = key.statistics;
    sum.calls += s.calls;
    sum.lost_exploring_ns += key.lost_ns;
    const auto usual =
        std::find_if(s.candidates.begin(), s.candidates.end(),
                     [&](const VariantStatistics& c) { return c.variant == key.default_variant; });
    if (usual == s.candidates.end() || usual->count == 0) return;
    for (const VariantStatistics& c : s.candidates) {
      if (c.count == 0) continue;
      sum.calls_compared += c.launches;
      sum.saved_ns += c.launches * (std::exp(usual->expected()) - std::exp(c.expected()));
    }
  });
  return sum;
}

std::vector<Key> OperationState::keys() const {
  const std::lock_guard lock(admin_);
  std::vector<Key> all;
  all.reserve(keys_.size());
  for (const auto& key : keys_) all.push_back(key->key);
  return all;
}

}  // namespace adaptive::core

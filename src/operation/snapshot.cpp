#include "operation/snapshot.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "operation/operation_parts.hpp"

namespace adaptive::inline v1::core {
namespace {

std::optional<SeedEntry> entry_of(const KeyLearner& key) {
  SeedEntry entry;
  entry.key = key.key();
  entry.generation = key.generation();
  for (const VariantStatistics& c : key.statistics().candidates) {
    if (c.total_count == 0 && c.failures == 0) continue;
    const double location = c.count > 0 ? std::exp(c.own_location()) : c.mean_ns;
    entry.variants.push_back(
        {c.variant, c.total_count, location, c.mean_ns, c.variance_ns(), c.failures, c.failed_at});
  }
  // A key that was reset and has no results yet must still be stored: it says that the old results are void.
  if (entry.variants.empty() && entry.generation == 0) return std::nullopt;
  if (!entry.variants.empty()) entry.incumbent = key.variant_of(key.lasting_candidate());
  return entry;
}

void add(Counters& sum, const Counters& key) {
  sum.consulted += key.consulted;
  sum.timed += key.timed;
  sum.explored += key.explored;
  sum.results += key.results;
  sum.results_duplicate += key.results_duplicate;
  sum.results_expired += key.results_expired;
  sum.results_lost += key.results_lost;
  sum.failures += key.failures;
  sum.promotions += key.promotions;
  sum.demotions += key.demotions;
  sum.exploration_refused += key.exploration_refused;
  sum.choices_invalid += key.choices_invalid;
}

void add(Account& sum, const KeyLearner& key) {
  const KeyStatistics& s = key.statistics();
  sum.calls += s.calls;
  sum.lost_exploring_ns += key.lost_ns();
  const auto by_default =
      std::find_if(s.candidates.begin(), s.candidates.end(),
                   [&](const VariantStatistics& c) { return c.variant == key.default_variant(); });
  if (by_default == s.candidates.end() || by_default->count == 0) return;
  for (const VariantStatistics& c : s.candidates) {
    if (c.count == 0) continue;
    sum.calls_compared += c.launches;
    sum.saved_ns += c.launches * (std::exp(by_default->expected()) - std::exp(c.expected()));
  }
}

}  // namespace

std::vector<SeedEntry> snapshot(const OperationParts& operation) {
  std::vector<SeedEntry> entries;
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  for (const auto& key : operation.keys.keys()) key->take_over();
  for (const auto& key : operation.keys.keys()) {
    const std::lock_guard key_lock(key->lock());
    if (!key->is_own()) continue;
    if (std::optional<SeedEntry> entry = entry_of(*key)) entries.push_back(std::move(*entry));
  }
  return entries;
}

Counters count(const OperationParts& operation) {
  Counters sum;
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  sum.keys = operation.keys.size();
  operation.admission.add_counters(sum);
  const OperationContext& context = operation.context;
  sum.contended = context.contended.load(std::memory_order_relaxed);
  sum.results_dropped = context.results_dropped.load(std::memory_order_relaxed);
  sum.results_invalid = context.results_invalid.load(std::memory_order_relaxed);
  sum.failures = context.failures_without_key.load(std::memory_order_relaxed);
  for (const auto& key : operation.keys.keys()) {
    const std::lock_guard key_lock(key->lock());
    add(sum, key->counters());
  }
  return sum;
}

Account account(const OperationParts& operation) {
  Account sum;
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  for (const auto& key : operation.keys.keys()) {
    const std::lock_guard key_lock(key->lock());
    if (key->is_own()) add(sum, *key);
  }
  return sum;
}

std::vector<Key> keys(const OperationParts& operation) {
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  std::vector<Key> all;
  all.reserve(operation.keys.size());
  for (const auto& key : operation.keys.keys()) all.push_back(key->key());
  return all;
}

}  // namespace adaptive::core

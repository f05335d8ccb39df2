#include "operation/snapshot.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "base/statistics/quantiles.hpp"
#include "operation/operation_parts.hpp"

namespace adaptive::inline v1::core {
namespace {

using Latencies = std::vector<std::vector<double>>;

// Copies the key's results. Quantiles take too long to compute under the key's lock: instead, `latencies_ns`
// gets the latencies behind them, by variant.
std::optional<KeyResults> copy_results(const KeyLearner& key, Latencies& latencies_ns) {
  KeyResults results;
  results.key = key.key();
  results.generation = key.generation();
  const KeyStatistics& s = key.statistics();
  for (std::uint32_t i = 0; i < s.size(); ++i) {
    const VariantStatistics& c = s[i];
    if (c.total_count == 0 && c.failures == 0) continue;
    results.variants.push_back({.variant = c.variant,
                                .count = c.total_count,
                                .mean_ns = c.mean_ns,
                                .variance_ns2 = c.variance_ns(),
                                .location_ns = c.count > 0 ? std::exp(c.own_location()) : c.mean_ns,
                                .failures = c.failures,
                                .failed_at = c.failed_at});
    latencies_ns.push_back(key.windows().latencies_ns(i));
  }
  // A key that was reset and has no results yet must still be stored, to declare the earlier results void.
  if (results.variants.empty() && results.generation == 0) return std::nullopt;
  if (!results.variants.empty()) results.incumbent = key.variant_of(key.lasting_candidate());
  return results;
}

std::optional<KeyResults> results_of(KeyLearner& key) {
  Latencies latencies_ns;
  std::optional<KeyResults> results;
  key.take_over();
  {
    const std::lock_guard lock(key.lock());
    if (key.is_own()) results = copy_results(key, latencies_ns);
  }
  if (results)
    for (std::size_t v = 0; v < latencies_ns.size(); ++v)
      results->variants[v].recent = quantiles(latencies_ns[v]);
  return results;
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

const VariantStatistics* find_default(const KeyLearner& key) {
  const std::vector<VariantStatistics>& all = key.statistics().candidates;
  const auto at = std::find_if(
      all.begin(), all.end(), [&](const VariantStatistics& c) { return c.variant == key.default_variant(); });
  return at == all.end() || at->count == 0 ? nullptr : &*at;
}

// Adds the key to `sum` and returns its own share. The caller holds the key's lock.
KeyTotals add(Account& sum, const KeyLearner& key) {
  const KeyStatistics& s = key.statistics();
  KeyTotals own{.learner = &key, .calls = s.calls, .lost_ns = key.lost_ns()};
  const VariantStatistics* const by_default = find_default(key);
  const double default_ns = by_default == nullptr ? 0.0 : std::exp(by_default->expected());
  for (const VariantStatistics& c : s.candidates) {
    if (c.count == 0) continue;
    const double ns = std::exp(c.expected());
    own.time_ns += c.launches * ns;
    if (by_default == nullptr) continue;
    sum.calls_compared += c.launches;
    own.saved_ns += c.launches * (default_ns - ns);
  }
  sum.calls += own.calls;
  sum.lost_exploring_ns += own.lost_ns;
  sum.saved_ns += own.saved_ns;
  return own;
}

// Pointers to the learners, which are valid as long as the operation.
std::vector<KeyLearner*> learners_of(const OperationParts& operation) {
  std::vector<KeyLearner*> learners;
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  for (const auto& key : operation.keys.keys()) learners.push_back(key.get());
  return learners;
}

// The counters that belong to no key. The caller holds `locks.keys_and_seeds`.
Counters count_without_keys(const OperationParts& operation) {
  Counters sum;
  sum.keys = operation.keys.size();
  operation.admission.add_counters(sum);
  operation.context.passing.add_counters(sum);
  const OperationContext& context = operation.context;
  sum.contended = context.contended.load(std::memory_order_relaxed);
  sum.results_dropped = context.results_dropped.load(std::memory_order_relaxed);
  sum.results_invalid = context.results_invalid.load(std::memory_order_relaxed);
  sum.failures = context.failures_without_key.load(std::memory_order_relaxed);
  return sum;
}

// Adds up all keys; calls `each` with the keys of this process and their totals, under the key's lock.
template <class Each>
OperationStatus pass(const OperationParts& operation, Each each) {
  OperationStatus status;
  {
    const std::lock_guard lock(operation.locks.keys_and_seeds);
    status.counters = count_without_keys(operation);
  }
  for (KeyLearner* const key : learners_of(operation)) {
    const std::lock_guard key_lock(key->lock());
    add(status.counters, key->counters());
    ++status.keys_by_match[static_cast<std::size_t>(key->start().match.kind)];
    if (key->statistics().settled) ++status.keys_confirmed;
    if (!key->is_own()) continue;  // in a forked child: these results are the parent's
    each(*key, add(status.account, *key));
    for (const VariantStatistics& variant : key->statistics().candidates)
      status.timed_ns += variant.mean_ns * static_cast<double>(variant.total_count);
  }
  return status;
}

}  // namespace

std::vector<KeyResults> snapshot(const OperationParts& operation) {
  std::vector<KeyResults> all;
  for (KeyLearner* const learner : learners_of(operation))
    if (std::optional<KeyResults> results = results_of(*learner)) all.push_back(std::move(*results));
  return all;
}

Counters count(const OperationParts& operation) {
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  Counters sum = count_without_keys(operation);
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

OperationStatus status(const OperationParts& operation) {
  return pass(operation, [](const KeyLearner&, const KeyTotals&) {});
}

Overview overview(const OperationParts& operation) {
  Overview all;
  all.keys.reserve(operation.keys.size());  // a key's lock is too short for allocations
  all.status = pass(operation, [&](const KeyLearner& key, KeyTotals totals) {
    const History& history = key.history();
    if (history.begin() != history.end()) totals.changed = (history.end() - 1)->epoch;
    all.time_ns += totals.time_ns;
    all.keys.push_back(totals);
  });
  return all;
}

KeyStanding standing(const KeyLearner& key) {
  const auto location_ns = [](const VariantStatistics& c) {
    return c.count > 0 ? std::exp(c.own_location()) : 0.0;
  };
  const std::lock_guard lock(key.lock());
  const KeyStatistics& s = key.statistics();
  const VariantStatistics& incumbent = s[s.incumbent];
  const VariantStatistics& leader = s[key.leading_candidate()];
  KeyStanding result{.incumbent = incumbent.variant,
                     .leader = leader.variant,
                     .by_default = key.default_variant(),
                     .incumbent_ns = location_ns(incumbent),
                     .leader_ns = location_ns(leader),
                     .confirmed = s.settled};
  if (const VariantStatistics* const by_default = find_default(key))
    result.default_ns = location_ns(*by_default);
  if (!s.expectations) return result;
  const double zone = std::log1p(s.indifference);
  double doubt = 0.0;
  for (std::uint32_t i = 0; i < s.size() && doubt < 1.0; ++i)
    if (i != s.incumbent && s[i].available) doubt += s.chance_faster(i, s.incumbent, zone);
  result.confidence = std::max(0.0, 1.0 - doubt);
  return result;
}

std::vector<Key> keys(const OperationParts& operation) {
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  std::vector<Key> all;
  all.reserve(operation.keys.size());
  for (const auto& key : operation.keys.keys()) all.push_back(key->key());
  return all;
}

}  // namespace adaptive::core

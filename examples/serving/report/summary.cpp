#include "examples/serving/report/summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace serving {
namespace {

constexpr std::size_t top_keys = 8;

/// The sum for `Comparison` if each key of a family ran the same variant.
double sum_with_one_variant(const Calibration& calibration, std::size_t operation, std::uint32_t variant) {
  double sum = 0;
  for (const auto& [key, latencies] : calibration.keys) {
    if (key->operation != operation) continue;
    const double latency = latencies.median_ns(variant);  // NaN: the default runs instead
    const double used = std::isnan(latency) ? latencies.median_ns(0) : latency;
    sum += static_cast<double>(key->launches()) * used;
  }
  return sum;
}

double best_single_variant(const Workload& workload, const Calibration& calibration) {
  double sum = 0;
  for (std::size_t o = 0; o < workload.operations().size(); ++o) {
    double best = std::numeric_limits<double>::infinity();
    for (std::uint32_t v = 0; v < workload.operations()[o].family.family_variants.size(); ++v)
      best = std::min(best, sum_with_one_variant(calibration, o, v));
    sum += best;
  }
  return sum;
}

Comparison compare(const Workload& workload, const Calibration& calibration, adaptive::Selector& seeds,
                   bool any_seed) {
  Comparison sums;
  double seed_ns = 0;
  for (const auto& [key, latencies] : calibration.keys) {
    const auto launches = static_cast<double>(key->launches());
    const adaptive::Operation& operation = *workload.entry(*key).operation;
    for (std::uint32_t v = 0; v < key->totals.size(); ++v) {
      if (key->totals[v].launches == 0) continue;
      sums.measured_ns += key->totals[v].time_ns;
      sums.adapted_ns += static_cast<double>(key->totals[v].launches) * latencies.median_ns(v);
    }
    sums.default_ns += launches * latencies.median_ns(0);
    sums.learned_ns += launches * latencies.median_ns(key->leader);
    sums.best_ns += launches * latencies.best_ns();
    seed_ns += launches * latencies.median_ns(seeds.find(operation.name())->pin(key->key).variant());
  }
  sums.single_ns = best_single_variant(workload, calibration);
  if (any_seed) sums.seed_ns = seed_ns;
  return sums;
}

KeySummary summary_of(const KeyRun& key, const adaptive::Explanation& explanation,
                      const Calibration& calibration, double total_ns) {
  KeySummary s{
      .operation = explanation.operation,
      .key = explanation.key,
      .leader = explanation.leader,
      .match = std::string(adaptive::to_string(explanation.match.kind)),
      .launches = key.launches(),
      .time_share = key.time_ns() / total_ns,
      .explored = static_cast<std::uint64_t>(std::llround(explanation.explored_share * explanation.calls)),
      .explanation = explanation.text()};
  if (const auto found = calibration.keys.find(&key); found != calibration.keys.end()) {
    const KeyLatencies& latencies = found->second;
    s.default_us = latencies.median_ns(0) / 1e3;
    s.leader_us = latencies.median_ns(key.leader) / 1e3;
    s.best_us = latencies.best_ns() / 1e3;
  }
  return s;
}

void count(Matches& matches, adaptive::MatchKind kind) {
  switch (kind) {
    case adaptive::MatchKind::exact:
      ++matches.exact;
      return;
    case adaptive::MatchKind::nearest:
      ++matches.nearest;
      return;
    case adaptive::MatchKind::predicted:
      ++matches.predicted;
      return;
    case adaptive::MatchKind::fallback:
      ++matches.fallback;
      return;
  }
}

}  // namespace

Summary summarise(const RunState& run, const Scheduler& scheduler, const Workload& workload,
                  Calibration calibration, adaptive::Selector& selector, adaptive::Selector& seeds) {
  Summary s;
  s.device = selector.device().device;
  s.mode = to_string(selector.mode());
  s.run = run;
  s.keys = workload.size();
  s.requests = scheduler.finished_requests();
  s.prompt_tokens = scheduler.prompt_tokens();
  s.answer_tokens = scheduler.answer_tokens();
  s.simulated_s = scheduler.now_s();
  for (const Workload::Entry& entry : workload.operations()) {
    const adaptive::Counters counters = entry.operation->counters();
    s.explored += counters.explored;
    s.promotions += counters.promotions;
    s.demotions += counters.demotions;
    s.failures += counters.failures;
  }
  bool any_seed = false;
  std::vector<const KeyRun*> keys = workload.keys();
  std::stable_sort(keys.begin(), keys.end(),
                   [](const KeyRun* a, const KeyRun* b) { return a->time_ns() > b->time_ns(); });
  std::vector<bool> explained(workload.operations().size(), false);
  for (const KeyRun* key : keys) {
    const adaptive::Explanation explanation = workload.entry(*key).operation->explain(key->key);
    s.lost_ns += explanation.lost_share * key->time_ns();
    s.settled_keys += explanation.settled ? 1 : 0;
    s.ahead_keys += explanation.leader != explanation.incumbent ? 1 : 0;
    count(s.matches, explanation.match.kind);
    const auto seed = seeds.find(explanation.operation)->explain(key->key).match.kind;
    any_seed = any_seed || seed != adaptive::MatchKind::fallback;
    const bool first = !explained[key->operation];
    if (s.top.size() >= top_keys && !first) continue;
    if (first) s.explained.push_back(s.top.size());
    explained[key->operation] = true;
    s.top.push_back(summary_of(*key, explanation, calibration, run.kernel_ns));
  }
  s.comparison = compare(workload, calibration, seeds, any_seed);
  s.calibration = std::move(calibration);
  return s;
}

}  // namespace serving

// What predictions are made of: every key that a table or this run has measured.
#include <algorithm>
#include <cmath>

#include "core/operation_state.hpp"

namespace adaptive::core {
namespace {

// Tables first, then the latest keys of the run: bounds what a fit on a key's first call can cost.
constexpr std::size_t run_keys_max = 1024;

// A fit is due when what the run has measured has grown by this share and number: what all fits cost together
// grows with the logarithm of the run.
constexpr double growth = 1.5;
constexpr std::size_t growth_min = 16;

}  // namespace

KnownKey known_key(const SeedEntry& seed) {
  return {seed.key, seed.trusted ? 0.0 : foreign_deviation, seed.variants};
}

std::vector<SeedVariant> measured(const KeyStatistics& statistics) {
  std::vector<SeedVariant> result;
  for (const VariantStatistics& c : statistics.candidates)
    if (c.count > 0)
      result.push_back(
          {c.variant, c.total_count, std::exp(c.location), c.mean_ns, c.variance_ns(), c.failures});
  return result;
}

std::size_t OperationState::first_of_run() const noexcept {
  // Where ranks have to agree, what one of them has measured is not what the others have.
  if (shared_.rank_consistent) return keys_.size();
  return keys_.size() > run_keys_max ? keys_.size() - run_keys_max : 0;
}

std::vector<KnownKey> OperationState::known_keys() const {
  std::vector<KnownKey> known;
  const std::size_t first = first_of_run();
  for (std::size_t i = first; i < keys_.size(); ++i) {
    const KeyState& key = *keys_[i];
    if (!key.lock.try_lock()) continue;
    const std::lock_guard lock(key.lock, std::adopt_lock);
    // What its own table entry says is worth more than a few results of this run.
    if (key.statistics.results == 0 || key.start.trusted) continue;
    known.push_back({key.key, 0.0, measured(key.statistics)});
  }
  std::vector<Key> learned;
  for (const KnownKey& k : known) learned.push_back(k.key);
  std::sort(learned.begin(), learned.end());
  for (const SeedEntry& seed : seeds_.entries())
    if (!std::binary_search(learned.begin(), learned.end(), seed.key)) known.push_back(known_key(seed));
  return known;
}

std::size_t OperationState::known_by_now() const {
  // Tables that come while running count by their keys.
  std::size_t sum = seeds_.entries().size();
  const std::size_t first = first_of_run();
  for (std::size_t i = first; i < keys_.size(); ++i) {
    const KeyState& key = *keys_[i];
    if (!key.lock.try_lock()) continue;
    const std::lock_guard lock(key.lock, std::adopt_lock);
    for (const VariantStatistics& c : key.statistics.candidates) sum += c.count > 0 ? 1 : 0;
  }
  return sum;
}

void OperationState::fit() {
  const std::lock_guard lock(admin_);
  fit_to(known_by_now());
}

void OperationState::fit_if_due() {
  if (shared_.predictor == nullptr) return;
  const std::size_t measured = known_by_now();
  const auto due = static_cast<std::size_t>(growth * static_cast<double>(measured_at_fit_)) + growth_min;
  if (measured >= due) fit_to(measured);
}

void OperationState::fit_to(std::size_t measured) {
  if (shared_.predictor == nullptr) return;
  if (predictor_ == nullptr) predictor_ = shared_.predictor();
  measured_at_fit_ = measured;
  predictor_->fit(spec_.dimensions, known_keys());
}

}  // namespace adaptive::core

// What predictions are made of: every key that a table or this run has measured.
#include <algorithm>
#include <cmath>

#include "operation/operation_state.hpp"

namespace adaptive::inline v1::core {
namespace {

// Besides the tables', the latest keys of the run: bounds what a fit can cost.
constexpr std::size_t run_keys_max = 1024;

// A fit is due when what has been measured has grown by this share: what all fits cost together grows with
// the logarithm of the run.
constexpr double growth = 0.1;

std::size_t count_measured(const KeyStatistics& statistics) {
  return static_cast<std::size_t>(std::count_if(statistics.candidates.begin(), statistics.candidates.end(),
                                                [](const VariantStatistics& c) { return c.count > 0; }));
}

}  // namespace

KnownKey known_key(const SeedEntry& seed) {
  return {seed.key, seed.trusted ? 0.0 : foreign_deviation, seed.variants};
}

std::vector<SeedVariant> measured(const KeyStatistics& statistics) {
  std::vector<SeedVariant> result;
  for (const VariantStatistics& c : statistics.candidates)
    if (c.count > 0)
      result.push_back(
          {c.variant, c.total_count, std::exp(c.own_location()), c.mean_ns, c.variance_ns(), c.failures});
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
    const std::lock_guard lock(key.lock);
    if (!key.inherited.empty()) {
      known.push_back({key.key, 0.0, key.inherited});
      continue;
    }
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
  std::size_t sum = 0;
  for (const SeedEntry& seed : seeds_.entries()) sum += seed.variants.size();
  const std::size_t first = first_of_run();
  for (std::size_t i = first; i < keys_.size(); ++i) {
    const KeyState& key = *keys_[i];
    const std::lock_guard lock(key.lock);
    sum += std::max(count_measured(key.statistics), key.inherited.size());
  }
  return sum;
}

std::uint64_t OperationState::begin_fit(std::vector<KnownKey>& known) {
  known = known_keys();
  measured_at_fit_ = known_by_now();
  return ++fits_begun_;
}

void OperationState::take(std::unique_ptr<Predictor>& fitted, std::uint64_t number) noexcept {
  if (number < fit_in_use_) return;
  fit_in_use_ = number;
  predictor_.swap(fitted);
}

void OperationState::fit_predictions() {
  if (shared_.predictor == nullptr) return;
  std::vector<KnownKey> known;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(admin_);
    number = begin_fit(known);
  }
  // Without `admin_`, which new keys need.
  std::unique_ptr<Predictor> fitted = shared_.predictor();
  fitted->fit(spec_.dimensions, known);
  const std::lock_guard lock(admin_);
  take(fitted, number);
}

bool OperationState::prediction_due() const {
  return static_cast<double>(known_by_now()) > (1.0 + growth) * static_cast<double>(measured_at_fit_);
}

}  // namespace adaptive::core

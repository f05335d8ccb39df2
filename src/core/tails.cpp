// What outliers add to a candidate's cost.
//
// Outliers are rare and large: whether they belong to a variant or meet all variants alike shows only in many
// results, and one that came early must not bury a variant. So a candidate's rate of outliers is shrunk to
// that of all candidates (a gamma prior, as in Gelman et al., "Bayesian Data Analysis", section 2.6), and
// counts as higher only where chance does not explain it. Fewer outliers than the others speak for a
// candidate little by little.
#include <adaptive/statistics.hpp>

#include <algorithm>
#include <cmath>

namespace adaptive {
namespace {

// Further above its location than this many deviations a result is an outlier.
constexpr double outlier_deviations = 5.0;
// The rate of all candidates starts at one in a hundred, with the weight of so many results.
constexpr double rate_start = 0.01;
constexpr double rate_weight = 50.0;
// Tails that add less than this share are a tie, as latencies are that differ by less.
constexpr double tail_min = 0.01;
// A rate is higher than the common one beyond chance from so many deviations and outliers above it on.
constexpr double beyond_chance = 2.0;
// While nothing else happens the tails are looked at again after so many results.
constexpr std::uint64_t update_every = 8;
// Older results count less from so many on.
constexpr double tail_memory = 8192.0;

}  // namespace

void KeyStatistics::note_tail(VariantStatistics& candidate, double residual) noexcept {
  candidate.exposed += 1.0;
  exposed_ += 1.0;
  const bool outlier = residual > outlier_deviations * deviation_;
  if (outlier) {
    candidate.outliers += 1.0;
    tail_outliers_ += 1.0;
    tail_excess_ += std::expm1(residual);
  }
  if (objective == Objective::robust) return;
  if (outlier || (tails_count_ && results % update_every == 0)) update_tails();
}

void KeyStatistics::update_tails() noexcept {
  if (exposed_ > tail_memory) {
    for (VariantStatistics& c : candidates) {
      c.exposed /= 2.0;
      c.outliers /= 2.0;
    }
    exposed_ /= 2.0;
    tail_outliers_ /= 2.0;
    tail_excess_ /= 2.0;
  }
  const double rate = (tail_outliers_ + rate_start * rate_weight) / (exposed_ + rate_weight);
  const double size = tail_outliers_ > 0.0 ? tail_excess_ / tail_outliers_ : 0.0;
  const bool count = objective == Objective::mean || rate * size > tail_min;
  if (!count && !tails_count_) return;
  tails_count_ = count;
  // The more outliers the less used candidates have had, the more the rate is everybody's.
  const auto most = std::max_element(candidates.begin(), candidates.end(),
                                     [](const auto& a, const auto& b) { return a.exposed < b.exposed; });
  const double pooled = 1.0 + tail_outliers_ - most->outliers;
  for (VariantStatistics& c : candidates) {
    if (!count) {
      c.tail = 0.0;
      continue;
    }
    if (objective == Objective::mean) {
      c.tail = std::log1p(size * c.outliers / std::max(c.exposed, 1.0));
      continue;
    }
    double own = (c.outliers + pooled) / (c.exposed + pooled / rate);
    const double chance = rate * c.exposed;
    if (c.outliers <= chance + beyond_chance * (1.0 + std::sqrt(chance))) own = std::min(own, rate);
    c.tail = std::log1p(std::max(own * size, tail_min)) - std::log1p(tail_min);
  }
}

}  // namespace adaptive

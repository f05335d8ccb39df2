// The cost that outliers add to a candidate.
//
// Outliers are rare and large. Only many results show whether a variant causes its outliers or all variants
// are hit alike. A candidate is therefore assumed to have the outlier rate of all candidates together, unless
// its own results contradict that.
// - A higher rate counts only if it is beyond chance: one early outlier must not rule a variant out.
// - A lower rate counts in proportion to the posterior probability that it is the candidate's own (a mixture
//   of two, Gelman et al., "Bayesian Data Analysis", 2.6 and 22). If it counted in full, the leader, which
//   has the most results, would appear faster than variants that are in truth one percent faster.
#include <adaptive/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace adaptive::inline v1 {
namespace {

// Number of deviations above its candidate's location from which a result is an outlier.
constexpr double outlier_deviations = 5.0;
// Prior for the outlier rate of all candidates together: one in a hundred, with the weight of 50 results.
constexpr double rate_start = 0.01;
constexpr double rate_weight = 50.0;
// Share of the latency below which the mean cost of outliers is ignored, as a difference of latencies would
// be.
constexpr double tail_min = 0.01;
// A candidate's rate is above the common rate beyond chance if its number of outliers exceeds the expected
// one by this many standard deviations and this many outliers.
constexpr double beyond_chance = 2.0;
// Prior probability that a candidate has an outlier rate of its own, exponentially distributed with the
// common rate as its mean.
constexpr double own_share = 0.2;
// The other candidates confirm a candidate's rate once they have at least this many outliers, and at least
// this share of the outliers that they would have at the candidate's rate.
constexpr double borne_out_min = 3.0;
constexpr double borne_out_share = 0.5;
// Number of results without an outlier after which the tails are computed again.
constexpr std::uint64_t update_every = 8;
// Number of results, over all candidates, from which the counts of results and outliers are halved, so that
// older results count less.
constexpr double tail_memory = 8192.0;

// Likelihood ratio of `outliers` outliers: for a candidate with a rate of its own (the marginal of an
// exponential rate), against the common rate, with `chance` as the expected number (Poisson). The factorial
// is Gosper's approximation, because counts that have been halved need not be whole numbers.
double own_likelihood(double outliers, double chance) noexcept {
  const double factorial = 0.5 * std::log((2.0 * outliers + 1.0 / 3.0) * std::numbers::pi) +
                           (outliers > 0.0 ? outliers * std::log(outliers) : 0.0) - outliers;
  return std::exp(factorial + chance - (outliers + 1.0) * std::log1p(chance));
}

// The outlier rate assumed for a candidate, given the rate of all candidates.
double believed_rate(const VariantStatistics& c, double rate) noexcept {
  const double chance = rate * c.exposed;
  const double own = (c.outliers + 1.0) / (c.exposed + 1.0 / rate);
  if (own >= rate) return c.outliers > chance + beyond_chance * (1.0 + std::sqrt(chance)) ? own : rate;
  const double odds = own_share / (1.0 - own_share) * own_likelihood(c.outliers, chance);
  return rate + (own - rate) * odds / (1.0 + odds);
}

}  // namespace

double KeyStatistics::tail_if_own(const VariantStatistics& c) const noexcept {
  if (objective != Objective::automatic || c.tail == 0.0 || c.outliers == 0.0) return 0.0;
  const double rate = c.outliers / c.exposed;
  const double others = tail_outliers_ - c.outliers;
  if (others >= borne_out_min && others >= borne_out_share * rate * (exposed_ - c.exposed)) return 0.0;
  return std::log1p(rate * tail_excess_ / tail_outliers_);
}

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
  for (VariantStatistics& c : candidates) {
    if (!count) {
      c.tail = 0.0;
      continue;
    }
    if (objective == Objective::mean) {
      c.tail = std::log1p(size * c.outliers / std::max(c.exposed, 1.0));
      continue;
    }
    c.tail = std::log1p(std::max(believed_rate(c, rate) * size, tail_min)) - std::log1p(tail_min);
  }
}

}  // namespace adaptive

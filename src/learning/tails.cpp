// What outliers add to a candidate's cost.
//
// Outliers are rare and large: whether they belong to a variant or meet all variants alike shows only in many
// results. So a candidate's rate of outliers is that of all candidates unless its own results speak against
// it. A higher one counts only beyond chance: an outlier that came early must not bury a variant. A lower one
// counts as far as it is believed to be the candidate's own (the posterior of a mixture of two, Gelman et
// al., "Bayesian Data Analysis", 2.6 and 22): were luck taken at its word, the leader, which has the most
// results, would outshine variants a percent faster.
#include <adaptive/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace adaptive::inline v1 {
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
// Share of the candidates whose rate is their own: exponentially distributed about the common one.
constexpr double own_share = 0.2;
// The others bear a candidate's rate out with so many outliers, if that is this share of what it would have
// made of their results.
constexpr double borne_out_min = 3.0;
constexpr double borne_out_share = 0.5;
// While nothing else happens the tails are looked at again after so many results.
constexpr std::uint64_t update_every = 8;
// Older results count less from so many on.
constexpr double tail_memory = 8192.0;

// By how much likelier that many outliers are of a candidate with a rate of its own, where `chance` are
// expected of the common rate: marginal of an exponential rate against Poisson. The factorial is Gosper's, as
// outliers that fade are no whole number.
double own_likelihood(double outliers, double chance) noexcept {
  const double factorial = 0.5 * std::log((2.0 * outliers + 1.0 / 3.0) * std::numbers::pi) +
                           (outliers > 0.0 ? outliers * std::log(outliers) : 0.0) - outliers;
  return std::exp(factorial + chance - (outliers + 1.0) * std::log1p(chance));
}

// The rate that is believed of a candidate, given that of all.
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

#include <adaptive/statistics.hpp>

#include <algorithm>
#include <cmath>

#include "base/statistics/confidence.hpp"

namespace adaptive::inline v1 {
namespace {

// Number of deviations from the location beyond which a result is an outlier. It moves the location no
// further than a result at this limit.
constexpr double clip_deviations = 4.0;
// Number of deviations from the median beyond which one of the first few results does not count.
constexpr double few_limit_deviations = 3.0;
// Number of results from which the location is known well enough to tell by how much a further result is
// late.
constexpr std::uint64_t exposed_from = 8;
// Number of results that a location remembers: a new result never weighs less than 1/1024, so that the
// location follows changes.
constexpr double memory = 1024.0;
// Prior for the standard deviation of log latency, its weight in results, and the lower limit of the
// estimate: see `KeyStatistics::deviation`.
constexpr double prior_deviation = 0.03;
constexpr double prior_freedom = 4.0;
constexpr double deviation_min = 0.002;
// Number of deviations up to which a result agrees with a location. A result further away is of another kind,
// for example a slow first launch.
constexpr double agreement_deviations = 5.0;
// Number of results over which the recent maximum of the delay decays.
constexpr double delay_memory = 256.0;
// Maximum weight, in results, of the results from before a change of latency that was assumed and then
// confirmed.
constexpr std::uint64_t moved_results = 2;
// Pseudo-count, in results, that inflates the early estimate of the deviation, so that the confidence
// sequence is valid from the first result.
constexpr double deviation_doubt = 6.0;

// Location of the first few results: the mean of those within `limit` of their lower median, a skipped mean
// (Hampel, "The breakdown points of the mean combined with some rejection rules", Technometrics 27, 1985). Of
// two middle values the lower one is the median, since contention only adds time.
double location_of_few(const double* values, std::size_t count, double limit) noexcept {
  std::array<double, VariantStatistics::first_count> sorted{};
  std::copy_n(values, count, sorted.begin());
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count));
  const double median = sorted[(count - 1) / 2];
  double sum = 0.0;
  std::size_t near = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::abs(sorted[i] - median) > limit) continue;
    sum += sorted[i];
    ++near;
  }
  return sum / static_cast<double>(near);
}

// Returns 0 for a sum that is nearly 0: arithmetic on subnormal numbers is a hundred times slower.
double faded(double sum) noexcept {
  constexpr double nothing = 1e-100;
  return sum < nothing ? 0.0 : sum * (memory / (memory + 1.0));
}

}  // namespace

std::uint32_t KeyStatistics::leader(bool use_priors) const noexcept {
  if (expectations != nullptr) return believed_leader();
  std::uint32_t best = incumbent;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    const VariantStatistics& c = candidates[i];
    if (!c.available) continue;
    const double at = c.count > 0 ? c.expected() : use_priors && c.has_prior() ? c.prior + c.tail : least;
    // The incumbent wins ties, so that equal variants do not take turns.
    if (at < least || (at == least && i == incumbent && c.count > 0)) {
      least = at;
      best = i;
    }
  }
  return best;
}

std::uint64_t KeyStatistics::agreeing(std::size_t candidate, bool cold) const noexcept {
  const VariantStatistics& c = candidates[candidate];
  if (c.count > VariantStatistics::first_count) return c.count;
  const auto agrees = [&](double x) { return std::abs(x - c.location) <= agreement_deviations * deviation_; };
  const auto end = c.first.begin() + static_cast<std::ptrdiff_t>(c.count);
  const auto all = static_cast<std::uint64_t>(std::count_if(c.first.begin(), end, agrees));
  // Where first launches are slow, a second slow result may agree with the first one by chance.
  return all > 0 && cold && agrees(c.first[0]) ? all - 1 : all;
}

bool KeyStatistics::starts_cold() const noexcept {
  std::size_t known = 0;
  std::size_t cold = 0;
  for (const VariantStatistics& c : candidates) {
    if (c.count < 2) continue;
    ++known;
    if (c.first[0] - c.location > agreement_deviations * deviation_) ++cold;
  }
  return cold > 0 && 2 * cold >= known;
}

double KeyStatistics::radius(std::size_t candidate, double error) const noexcept {
  // A location remembers no more than `memory` results. After a change of the key's latencies, earlier
  // results count as at most two.
  const VariantStatistics& c = candidates[candidate];
  const double n = std::min(static_cast<double>(c.count), c.remembered ? 2.0 : memory);
  if (n == 0) return std::numeric_limits<double>::infinity();
  const double share = error / static_cast<double>(candidates.size());
  // With few results, the deviation itself is uncertain.
  const double unsure = 1.0 + deviation_doubt / (prior_freedom + freedom_);
  return core::mixture_radius(n, deviation_ * unsure, share);
}

Sample KeyStatistics::add(std::uint32_t candidate, double latency_ns) noexcept {
  VariantStatistics& c = candidates[candidate];
  const double x = std::log(latency_ns);
  const Sample sample{candidate, x, c.count == 0 ? 0.0 : x - c.location};
  if (c.moved != 0.0) confirm_move(candidate, sample);
  const double n = static_cast<double>(c.count);
  const double residual = c.count == 0 ? 0.0 : x - c.location;

  const bool routine = expectations != nullptr && is_routine(candidate);
  if (expectations != nullptr) {
    if (c.count == 0) note_first(candidate, x);
    if (c.count >= exposed_from) note_late(residual);
    if (!routine) ++revision_;
  }

  ++c.total_count;
  const double from_mean = latency_ns - c.mean_ns;
  c.mean_ns += from_mean / static_cast<double>(c.total_count);
  c.squares_ns += from_mean * (latency_ns - c.mean_ns);
  c.minimum_ns = std::min(c.minimum_ns, latency_ns);

  const double limit = clip_deviations * deviation_;
  const double clipped = std::clamp(residual, -limit, limit);
  if (c.count > 0) {
    // The variance of the residual is (n + 1) / n times that of one result, because the location itself rests
    // on n results. If the second result of a candidate is far from the first, either may be the outlier, so
    // that their difference says nothing about the deviation.
    if (c.count > 1 || clipped == residual) {
      squares_ += clipped * clipped * n / (n + 1.0);
      freedom_ += 1.0;
      c.squares += clipped * clipped * n / (n + 1.0);
      if (n > memory) c.squares = faded(c.squares);
    }
    if (clipped != residual) outliers_ += 1.0;
    fade();
    if (!routine) update_deviation();
    note_tail(c, residual);
  }
  if (c.count < VariantStatistics::first_count) {
    c.first[c.count++] = x;
    c.location = location_of_few(c.first.data(), c.count, few_limit_deviations * deviation_);
  } else {
    ++c.count;
    c.location += clipped / std::min(n + 1.0, memory);
  }
  c.remembered = false;
  if (n == 0.0) c.known_since = calls;
  c.known_at = calls;
  if (expectations != nullptr) follow_disturbance({candidate, x, residual}, limit);
  ++results;
  return sample;
}

void KeyStatistics::note_delay(double calls_since) noexcept {
  delay_ = std::max(calls_since, delay_ - delay_ / delay_memory);
}

void KeyStatistics::restart(std::uint32_t candidate, double location, std::uint64_t weight) noexcept {
  VariantStatistics& c = candidates[candidate];
  if (weight == 0) location = VariantStatistics::none;
  c.location = location;
  c.moved = 0.0;
  c.restarted_at = calls;
  c.count = weight;
  c.squares = 0.0;
  c.remembered = false;
  c.disturbed = VariantStatistics::Doubt::none;
  if (weight <= 1) c.known_since = calls;
  settled = false;
  ++revision_;
  std::fill_n(c.first.begin(), std::min<std::uint64_t>(weight, VariantStatistics::first_count), location);
}

void KeyStatistics::doubt(std::uint32_t candidate) noexcept {
  candidates[candidate].remembered = true;
  settled = false;
  ++revision_;
}

bool KeyStatistics::move(std::uint32_t candidate, double moved) noexcept {
  if (!(std::abs(moved) <= moved_max)) return false;
  displace(candidates[candidate], moved);
  doubt(candidate);
  return true;
}

void KeyStatistics::displace(VariantStatistics& c, double moved) noexcept {
  const double shift = moved - c.moved;
  c.location += shift;
  for (double& x : c.first) x += shift;
  c.moved = moved;
}

// The location of the candidate includes a shift that other candidates have shown. The candidate's first
// result since then decides: if the result contradicts the shift, the shift is undone. Otherwise the result
// becomes the location, and earlier results that agreed with each other count as results there.
void KeyStatistics::confirm_move(std::uint32_t candidate, const Sample& sample) noexcept {
  VariantStatistics& c = candidates[candidate];
  if (std::abs(sample.residual) > agreement_deviations * deviation_) {
    displace(c, 0.0);
    return;
  }
  c.count = std::min(std::max<std::uint64_t>(agreeing(candidate, false), 1), moved_results);
  c.moved = 0.0;
  c.location = sample.log_latency;
  std::fill_n(c.first.begin(), c.count, c.location);
}

// Limits the weight of all past residuals together to `memory` results.
void KeyStatistics::fade() noexcept {
  if (freedom_ <= memory) return;
  squares_ = faded(squares_);
  outliers_ = faded(outliers_);
  freedom_ = memory;
}

void KeyStatistics::update_deviation() noexcept {
  const double usual = expectations != nullptr ? usual_deviation_ : prior_deviation;
  const double variance = (prior_freedom * usual * usual + squares_) / (prior_freedom + freedom_);
  deviation_ = std::max(std::sqrt(variance), deviation_min);
}

}  // namespace adaptive

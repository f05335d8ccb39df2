#include <adaptive/statistics.hpp>

#include <algorithm>
#include <cmath>

#include "base/statistics/confidence.hpp"

namespace adaptive::inline v1 {
namespace {

// Beyond this many deviations a result is an outlier, and moves the location no further than one at the
// limit.
constexpr double clip_deviations = 4.0;
constexpr double few_limit_deviations = 3.0;
// From so many results on the location is known well enough to tell by how much a result is late.
constexpr std::uint64_t exposed_from = 8;
// The location keeps following: no result ever weighs less than one in this many.
constexpr double memory = 1024.0;
constexpr double prior_deviation = 0.03;
constexpr double prior_freedom = 4.0;
constexpr double deviation_min = 0.002;
// Two results further apart than this are not of one kind.
constexpr double agreement_deviations = 5.0;
// The longest delay is forgotten over so many results.
constexpr double delay_memory = 256.0;
// So many outliers one after the other are no chance.
constexpr std::uint32_t late_max = 3;
// Earlier results that have been moved count as no more than this many.
constexpr std::uint64_t moved_results = 2;
// By how much more than said the deviation may be off, in results: so that the sequence holds from the first
// one.
constexpr double deviation_doubt = 6.0;

// Of the few first results: the mean of those within `limit` of their lower median, a skipped mean (Hampel,
// "The breakdown points of the mean combined with some rejection rules", Technometrics 27, 1985). The lower
// of two middle values, since contention only ever adds time.
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

// What has faded to nothing is 0: arithmetic on the smallest numbers is a hundred times slower.
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
  // Where first launches are slow, another slow one may agree with it by chance.
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
  // The location forgets, so more results than it remembers do not make it surer. Results of before a change
  // are believed no more than two.
  const VariantStatistics& c = candidates[candidate];
  const double n = std::min(static_cast<double>(c.count), c.remembered ? 2.0 : memory);
  if (n == 0) return std::numeric_limits<double>::infinity();
  const double share = error / static_cast<double>(candidates.size());
  // Few results know the deviation itself only roughly.
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
    // A new result differs from a location of n results by more than its own deviation.
    // Of two results that are not of one kind neither tells the deviation.
    if (c.count > 1 || clipped == residual) {
      squares_ += clipped * clipped * n / (n + 1.0);
      freedom_ += 1.0;
      c.squares += clipped * clipped * n / (n + 1.0);
      if (n > memory) c.squares = faded(c.squares);
    }
    if (clipped != residual) outliers_ += 1.0;
    late_in_a_row_ = residual > limit ? late_in_a_row_ + 1 : 0;
    if (late_in_a_row_ >= late_max) disturbed_ = true;
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

// The first result of its own says whether a candidate has taken part in the change that all were said to
// have in common. If it has, the result says where it is now, and earlier looks that agreed count as looks at
// that.
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

// Residuals of the past weigh no more than `memory` results together.
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

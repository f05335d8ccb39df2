// Comparison of the candidates of a key, by the belief about their latencies.
#include <algorithm>
#include <bit>
#include <cmath>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1 {
namespace {

// Number of results beyond which the variance of a location no longer falls: the location forgets older
// results.
constexpr double believed_results_max = 1024.0;
// Weight, in results, of the key's pooled variance in the estimate of one candidate's variance.
constexpr double pooled_freedom = 4.0;
// Number of results from which a candidate's own variance may be below the pooled one. Fewer results may
// agree by chance.
constexpr double own_deviation_from = 32.0;
// Number of results, after the first, that lower the probability that all of them were outliers. Further
// results do not lower it.
constexpr double late_counted_max = 8.0;
// Number of results from which a candidate whose results are all late counts as slow. Even a burst of
// outliers does not last that long.
constexpr double late_until = 24.0;
// Degrees of freedom of Student's t distribution for the errors of expectations: for a table of this device,
// and the maximum for a model. A model gets one for every `checked_for_each` results that were compared with
// its expectations.
constexpr double freedom_of_table = 30.0;
constexpr double freedom_of_model = 12.0;
constexpr double checked_for_each = 4.0;
// Number of standard errors that are added to a candidate's believed location when the leader is chosen. A
// candidate that was lucky in a few results is then measured again before it leads.
constexpr double leader_doubt = 0.3;
// Log latency by which another candidate must be faster to lead in place of a confirmed incumbent.
constexpr double left_alone = 2e-3;
// The first result of a candidate counts as strange if it is at least this many standard deviations below its
// expectation. It is checked only if at least `predicted_from` other candidates have results.
constexpr double strange_deviations = 3.0;
constexpr std::size_t predicted_from = 3;
// One more result of a leader that has more than `routine_from` results hardly changes the belief, so that
// the belief is not updated for each of them. It is updated once per 1/16 of the leader's number of results,
// at least every 128 results: an eighth of the 1,024 results that a location remembers.
constexpr std::uint64_t routine_from = 64;
constexpr std::uint64_t routine_share = 16;
constexpr std::uint64_t routine_min = 8;
constexpr std::uint64_t routine_max = 128;
// Number of standard deviations above the location from which a result is late.
constexpr double late_from_deviations = 4.0;
// Prior for the chance that a result is late by a given excess of log latency, with the weight of 50 results:
// one in a hundred up to an excess of 0.2, then falling in inverse proportion to the excess.
constexpr double outlier_weight = 50.0;
constexpr double outlier_share = 0.01;
constexpr double outlier_scale = 0.2;

double upper_tail(double z) noexcept {
  return 0.5 * std::erfc(z * 0.7071067811865476);
}

// Upper tail of Student's t distribution, by the approximation of Wallace, "Bounds on normal approximations
// to Student's and the chi-square distributions", Annals of Mathematical Statistics 30 (1959).
double student_tail(double t, double freedom) noexcept {
  return upper_tail((8.0 * freedom + 1.0) / (8.0 * freedom + 3.0) *
                    std::sqrt(freedom * std::log1p(t * t / freedom)));
}

}  // namespace

double NoiseLaw::chance_of_all(double excess, double count) const noexcept {
  const double first = chance_of(excess);
  // Some of the results came one after the other, as in a burst, others far apart: the geometric mean of the
  // two chances.
  const double further = std::sqrt(first * std::max(first, repeated));
  return first * std::pow(further, std::clamp(count - 1.0, 0.0, late_counted_max));
}

double NoiseLaw::chance_of(double excess) const noexcept {
  if (excess <= 0.0) return 1.0;
  const double prior = outlier_share * std::min(1.0, outlier_scale / excess);
  // The count at the largest step that is not above the excess: a larger excess cannot be likelier.
  std::size_t i = steps;
  while (i > 0 && at[i - 1] > excess) --i;
  const double n = late[i - 1];
  // The upper estimate adds one standard deviation of the count.
  return (outlier_weight * prior + n + std::sqrt(n)) / (outlier_weight + results);
}

void KeyStatistics::expect(std::shared_ptr<const Expectations>& to, Belief& room) noexcept {
  expectations.swap(to);
  if (expectations != nullptr) usual_deviation_ = expectations->noise.deviation;
  if (room.fits(size())) std::swap(belief_, room);
  ++revision_;
  update_deviation();
}

const Belief& KeyStatistics::belief() const noexcept {
  if (believed_revision_ != revision_) {
    believed_revision_ = revision_;
    belief_.update(*this);
  }
  return belief_;
}

double KeyStatistics::chance_late(double excess, double count) const noexcept {
  const double of_all = expectations->noise.chance_of_all(excess, count);
  return scatter_.late[0] > 0.0F ? std::max(of_all, law_of(scatter_).chance_of_all(excess, count)) : of_all;
}

double KeyStatistics::variance_of(std::size_t candidate) const noexcept {
  const double pooled = deviation_ * deviation_;
  const VariantStatistics& c = candidates[candidate];
  const double n = std::min(static_cast<double>(c.count), believed_results_max);
  const double own = (pooled_freedom * pooled + c.squares) / (pooled_freedom + std::max(0.0, n - 1.0));
  return n < own_deviation_from ? std::max(own, pooled) : own;
}

double KeyStatistics::chance_faster(std::size_t candidate, std::size_t other, double margin) const noexcept {
  if (expectations == nullptr) return 1.0;
  const NoiseLaw& law = expectations->noise;
  const VariantStatistics& slow = candidates[candidate];
  const VariantStatistics& fast = candidates[other];
  // Results in doubt prove nothing against a candidate.
  if (slow.disturbed != VariantStatistics::Doubt::none) return 1.0;
  // Tails are known less surely than locations: they may reduce the lead of the faster candidate, but never
  // increase it.
  const double tails = std::min(0.0, slow.tail - fast.tail) + margin;
  double chance = 1.0;
  // Whether a single result was an outlier depends on the expectation of the candidate, so that only the
  // belief can judge it.
  if (slow.count > 1 && fast.count > 0 && !slow.remembered && !fast.remembered) {
    const double behind = slow.location - fast.location + tails;
    if (behind > 0.0) {
      const double ns = std::min(static_cast<double>(slow.count), believed_results_max);
      const double nf = std::min(static_cast<double>(fast.count), believed_results_max);
      const double z = behind / std::sqrt(variance_of(candidate) / ns + variance_of(other) / nf);
      const double fewer = std::min(ns, nf);
      // The slow candidate may be the faster one for two reasons: all its results were outliers, or the
      // difference is noise. The factor sqrt(1 + fewer) accounts for repeated comparisons as results arrive.
      const double late = ns < late_until ? chance_late(behind, ns) : 0.0;
      chance = late + student_tail(z, pooled_freedom + fewer - 1.0) * std::sqrt(1.0 + fewer);
    }
  }
  const Belief& believed = belief();
  if (!believed.fits(size())) return std::min(1.0, chance);
  const double variance = believed.variance_between(candidate, other);
  const double behind = believed.location(candidate) - believed.location(other) + tails;
  if (behind > 0.0 && variance > 0.0) {
    const double z = behind / std::sqrt(variance);
    const double told = expectations->from_own_table() ? expectations->told[candidate] : 0.0;
    const double freedom = told > 1.0
                               ? freedom_of_table
                               : std::clamp(expectations->checked / checked_for_each, 1.0, freedom_of_model);
    const double n = static_cast<double>(slow.count) + told;
    // A candidate without results may be unrelated to its expectation. If it has results, all of them may
    // have been outliers. That matters only if the candidate is one of the best, which for any but the
    // incumbent has a probability of about 1/size().
    const double share = candidate == incumbent ? 1.0 : 1.0 / static_cast<double>(size());
    const double otherwise = n == 0.0 ? law.strangers * upper_tail(behind / NoiseLaw::stranger_deviation)
                                      : share * chance_late(behind, n);
    chance = std::min(chance, student_tail(z, freedom) + otherwise);
  }
  return std::min(1.0, chance);
}

double KeyStatistics::score(std::uint32_t candidate) const noexcept {
  const VariantStatistics& c = candidates[candidate];
  const double at = belief_.location(candidate) + c.tail;
  if (expectations->from_own_table()) return at;
  return at + leader_doubt * deviation_ / std::sqrt(static_cast<double>(c.count));
}

std::uint32_t KeyStatistics::believed_leader() const noexcept {
  const Belief& believed = belief();
  if (!believed.fits(size())) return incumbent;
  std::uint32_t best = incumbent;
  double least = std::numeric_limits<double>::infinity();
  const bool told = expectations->from_own_table();
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    const VariantStatistics& c = candidates[i];
    if (!c.available || !(c.count > 0 || (told && expectations->told[i] > 0))) continue;
    // `score` is never below this cost, so that most candidates need no score.
    if (believed.location(i) + c.tail > least) continue;
    const double at = score(i);
    if (at >= least && !(at == least && i == incumbent)) continue;
    least = at;
    best = i;
  }
  const bool stays = settled && best != incumbent && candidates[incumbent].available &&
                     believed.location(incumbent) + candidates[incumbent].tail - believed.location(best) -
                             candidates[best].tail <
                         left_alone;
  latest_leader_ = stays ? incumbent : best;
  return latest_leader_;
}

// `latest_leader_` is the leader of the latest comparison of all candidates. Only routine results can have
// changed the order since then.
bool KeyStatistics::is_routine(std::uint32_t candidate) const noexcept {
  const std::uint64_t count = candidates[candidate].count;
  if (count <= routine_from || candidate != latest_leader_) return false;
  const std::uint64_t apart = std::clamp(std::bit_floor(count) / routine_share, routine_min, routine_max);
  return ((count + 1) & (apart - 1)) != 0;
}

void KeyStatistics::note_late(double residual) noexcept {
  scatter_.exposed += 1.0;
  const bool late = residual > late_from_deviations * deviation_;
  if (late && late_before_) scatter_.repeated += 1.0;
  late_before_ = late;
  if (!late) return;
  for (std::size_t i = 0; i < NoiseLaw::steps && residual >= NoiseLaw::at[i]; ++i) scatter_.late[i] += 1.0F;
}

void KeyStatistics::note_first(std::uint32_t candidate, double log_latency) noexcept {
  const Belief& believed = belief();
  if (!believed.fits(size()) || believed.measured() < predicted_from) return;
  const std::uint32_t to = leader();
  const double variance = believed.variance_between(candidate, to) + deviation_ * deviation_;
  const double off =
      log_latency - candidates[to].location - believed.location(candidate) + believed.location(to);
  scatter_.predicted += 1.0;
  if (off < -strange_deviations * std::sqrt(variance)) scatter_.strange += 1.0;
}

NoiseLaw KeyStatistics::law_of(const Scatter& sum) noexcept {
  // Priors: a deviation of 3 % with the weight of four results, one stranger in a hundred candidates with the
  // weight of 100, and one late result in ten after another late one with the weight of four.
  constexpr double deviation_usual = 0.03;
  constexpr double deviation_weight = 4.0;
  constexpr double deviation_min = 0.002;
  constexpr double stranger_usual = 0.01;
  constexpr double stranger_weight = 100.0;
  constexpr double repeated_usual = 0.1;
  constexpr double repeated_weight = 4.0;
  NoiseLaw law;
  law.deviation =
      std::max(deviation_min, std::sqrt((deviation_weight * deviation_usual * deviation_usual + sum.squares) /
                                        (deviation_weight + sum.freedom)));
  law.results = sum.exposed;
  for (std::size_t i = 0; i < law.late.size(); ++i) law.late[i] = sum.late[i];
  law.repeated = (repeated_usual * repeated_weight + sum.repeated) / (repeated_weight + double{sum.late[0]});
  law.strangers = (stranger_usual * stranger_weight + sum.strange) / (stranger_weight + sum.predicted);
  return law;
}

KeyStatistics::Scatter KeyStatistics::scatter() const noexcept {
  Scatter result = scatter_;
  result.squares = squares_;
  result.freedom = freedom_;
  return result;
}

}  // namespace adaptive

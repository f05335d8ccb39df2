// How candidates of a key compare, by what is believed of them.
#include <algorithm>
#include <bit>
#include <cmath>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1 {
namespace {

// Results beyond this number make a location no surer.
constexpr double believed_results_max = 1024.0;
// The deviation of the whole key counts as so many results of each candidate.
constexpr double pooled_freedom = 4.0;
// Few results that agree by chance do not make a candidate steadier than the others.
constexpr double own_deviation_from = 32.0;
// Outliers in a row beyond this number are not believed to be less likely.
constexpr double late_counted_max = 8.0;
// So many results that are late are how a candidate is, not outliers, even where these come in bursts.
constexpr double late_until = 24.0;
// Degrees of freedom of errors: of what a table of this device says, and at most of what a model does, one
// for so many results that its errors were checked on.
constexpr double freedom_of_table = 30.0;
constexpr double freedom_of_model = 12.0;
constexpr double checked_for_each = 4.0;
// The leader is the least believed location, so many deviations of its error later: who was lucky in few
// results is looked at again instead of being run.
constexpr double leader_doubt = 0.3;
// A confirmed incumbent does not give way for less than this.
constexpr double left_alone = 2e-3;
// The first result of a candidate counts as strange from so many deviations below its expectation on, if so
// many others have results.
constexpr double strange_deviations = 3.0;
constexpr std::size_t predicted_from = 3;
// A result of a leader that has more than so many changes little: one in sixteen of as many is looked at, and
// never fewer than one in 128, so that the leader's location is at most an eighth of its memory old.
constexpr std::uint64_t routine_from = 64;
constexpr std::uint64_t routine_share = 16;
constexpr std::uint64_t routine_min = 8;
constexpr std::uint64_t routine_max = 128;
constexpr double late_from_deviations = 4.0;
constexpr double outlier_weight = 50.0;
constexpr double outlier_share = 0.01;
constexpr double outlier_scale = 0.2;

double upper_tail(double z) noexcept {
  return 0.5 * std::erfc(z * 0.7071067811865476);
}

// Of Student's t, by the approximation of Wallace, "Bounds on normal approximations to Student's and the
// chi-square distributions", Annals of Mathematical Statistics 30 (1959).
double student_tail(double t, double freedom) noexcept {
  return upper_tail((8.0 * freedom + 1.0) / (8.0 * freedom + 3.0) *
                    std::sqrt(freedom * std::log1p(t * t / freedom)));
}

}  // namespace

double NoiseLaw::chance_of_all(double excess, double count) const noexcept {
  const double first = chance_of(excess);
  // Some of the results came one after the other, as in a burst, and others apart.
  const double further = std::sqrt(first * std::max(first, repeated));
  return first * std::pow(further, std::clamp(count - 1.0, 0.0, late_counted_max));
}

double NoiseLaw::chance_of(double excess) const noexcept {
  if (excess <= 0.0) return 1.0;
  const double prior = outlier_share * std::min(1.0, outlier_scale / excess);
  // The largest step that is not above the excess: the chance of more cannot be larger.
  std::size_t i = steps;
  while (i > 0 && at[i - 1] > excess) --i;
  const double n = late[i - 1];
  // Above what was counted by a deviation of the count.
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
  // Tails are known less surely than locations: they may speak against the faster of the two, but not for it.
  const double tails = std::min(0.0, slow.tail - fast.tail) + margin;
  double chance = 1.0;
  // Whether a single result was an outlier depends on what else is expected of the candidate: that is for the
  // belief.
  if (slow.count > 1 && fast.count > 0 && !slow.remembered && !fast.remembered) {
    const double behind = slow.location - fast.location + tails;
    if (behind > 0.0) {
      const double ns = std::min(static_cast<double>(slow.count), believed_results_max);
      const double nf = std::min(static_cast<double>(fast.count), believed_results_max);
      const double z = behind / std::sqrt(variance_of(candidate) / ns + variance_of(other) / nf);
      const double fewer = std::min(ns, nf);
      // All results of the slow one were outliers; or it was noise, at whichever of the looks.
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
    // A candidate without results may be a stranger to the model. A single result may have been an outlier,
    // though that of one of the best is rarer; the incumbent was not chosen by chance.
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
    // Most candidates are behind, whatever they may be owed for having few results.
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

// The leader is that of the latest look at all candidates: whoever has come to lead since then does so by
// results that were routine.
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
  // Before anything is known: three percent with the weight of four results, and one stranger in a hundred.
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
  // One late result in ten follows another, with the weight of four.
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

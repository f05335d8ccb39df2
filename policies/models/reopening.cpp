#include "policies/models/reopening.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace adaptive::inline v1::policies {
namespace {

// Number of deviations from which a difference is a change of latency, not noise.
constexpr double faster_deviations = 4.0;
// Minimum number of results for a location to be believed.
constexpr std::uint64_t believed_looks = 2;

// Weight of a restored location, in results: enough for the drift detector to watch it at once, few enough
// for the location to follow if the latency differs slightly from before.
constexpr std::uint64_t restored_results = 9;

// Number of calls until the first visit to a candidate that has become slower, and the factor by which each
// further interval is longer: the duration of a disturbance has no natural scale.
constexpr double first_interval = 16.0;
constexpr double interval_factor = 3.0;
// A candidate that becomes slower again within this many calls after its recovery is visited at the longer
// intervals.
constexpr double recovery_min = 32.0;
// Limit of the intervals: visits may always cost this share of what a recovery would save.
constexpr double visiting_share = 1.0 / 512;

// Number of episodes that must have ended before the leader may sit out another one.
constexpr std::uint32_t episodes_min = 3;
// Factor of the longest episode so far after which an episode counts as a lasting change.
constexpr double longer_than_ever = 2.0;

// The candidate's location before the sample.
double believed(const Sample& sample) noexcept {
  return sample.log_latency - sample.residual;
}

}  // namespace

double Reopening::Episodes::mean(double location) const noexcept {
  const double share = slow / std::max(slow + fast, 1.0);
  return location + std::log1p(share * std::expm1(std::max(0.0, level - location)));
}

void Reopening::prepare(std::size_t candidates) {
  if (candidates_.size() != candidates) candidates_.resize(candidates);
}

void Reopening::watch(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept {
  try {
    prepare(key.size());
  } catch (...) {
    return;  // out of memory: changes are not noticed
  }
  if (!calm_ && follow_change(key, sample)) return;
  if (sample.candidate == leader) {
    if (sits_out(key, sample, leader) || !detector_.add(key, sample)) return;
    if (may_sit_out(key, leader))
      tolerated_ = {leader, key.calls, candidates_[leader].location, candidates_[leader].count};
    else
      reopen(key, leader);
  } else if (key[sample.candidate].count > 2 && sample.residual < -faster_deviations * key.deviation()) {
    // A disturbance makes a launch later, never earlier: the candidate has become faster or, if it had only
    // one result before, that result was slow.
    key.restart(sample.candidate, sample.log_latency, 1);
  }
}

// Takes a result while a change is on record. Returns true if the result only informs about that change, so
// that it must not count for a new one.
bool Reopening::follow_change(KeyStatistics& key, const Sample& sample) noexcept {
  const Standing before = std::exchange(candidates_[sample.candidate].standing, Standing::fresh);
  // A shifted candidate whose only look was hit by a burst cannot show that the change is over: its next
  // result is lower in any case.
  const bool over = (before != Standing::moved && is_over(key, sample)) || has_recovered(key, sample);
  if (over) {
    recover(key, sample);
  } else {
    if (candidates_[sample.candidate].slower) candidates_[sample.candidate].slow_at = key.calls;
    if (before == Standing::stale) refresh(key, sample);
  }
  if (over || before != Standing::fresh) note_calm();
  return over || before == Standing::stale;
}

void Reopening::note_calm() noexcept {
  calm_ = common_ == 0.0 && std::all_of(candidates_.begin(), candidates_.end(), [](const Candidate& c) {
            return c.standing == Standing::fresh && !c.slower;
          });
}

void Reopening::reopen(KeyStatistics& key, std::uint32_t leader) noexcept {
  const double shift = detector_.level() - key[leader].location;
  if (shift > 0.0) {
    note_slower(key, leader, key[leader].location, key[leader].count);
    candidates_[leader].episodes.level = detector_.level();
  } else if (shift <= -0.5 * lasting_) {
    take_back(key, leader);  // the change that made all candidates slower is over
  }
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (i == leader || key[i].count == 0) continue;
    key.doubt(i);
    candidates_[i].standing = Standing::stale;
    candidates_[i].doubted = key[i].own_location();
  }
  // The results behind the new level count as one look: a passing disturbance may have hit all of them.
  key.restart(leader, detector_.level(), 1);
  alarmed_ = leader;
  alarm_ = shift_ = shift;
  common_ = 0.0;
  note_calm();
}

// Whether the leader has become slower as in earlier episodes and is still the best in the mean.
bool Reopening::may_sit_out(const KeyStatistics& key, std::uint32_t leader) const noexcept {
  const Candidate& c = candidates_[leader];
  if (detector_.level() <= key[leader].location || c.episodes.ended < episodes_min) return false;
  // A change of another size, or from another level, is not another such episode.
  const double tolerance = 0.25 * (c.episodes.level - c.location);
  if (std::abs(detector_.level() - c.episodes.level) > tolerance ||
      std::abs(key[leader].location - c.location) > tolerance)
    return false;
  const double mean = c.episodes.mean(c.location);
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (i != leader && key[i].available && key[i].count > 0 && key[i].expected() < mean) return false;
  return true;
}

// Takes a result of the leader while the leader may sit out an episode. Returns false if it does not, or no
// longer does.
bool Reopening::sits_out(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept {
  if (tolerated_.candidate == Tolerated::none) return false;
  Candidate& c = candidates_[leader];
  const double lasted = key.calls - tolerated_.since;
  if (tolerated_.candidate != leader || lasted > longer_than_ever * c.episodes.longest) {
    tolerated_.candidate = Tolerated::none;
    return false;
  }
  key.restart(leader, tolerated_.location, tolerated_.count);
  if (sample.log_latency > 0.5 * (tolerated_.location + c.episodes.level)) {
    c.slow_at = key.calls;
    return true;
  }
  tolerated_.candidate = Tolerated::none;
  c.recovered = note_end(key, c, tolerated_.since);
  return true;
}

// Notes the end of an episode. Returns the number of the key's calls when it ended.
double Reopening::note_end(const KeyStatistics& key, Candidate& candidate, double since) noexcept {
  Episodes& e = candidate.episodes;
  // The episode ended at some time between the latest two results.
  const double end = 0.5 * (std::max(since, candidate.slow_at) + key.calls);
  if (e.ended > 0) e.fast += std::max(0.0, since - candidate.recovered);
  e.slow += end - since;
  e.longest = std::max(e.longest, key.calls - since);
  ++e.ended;
  return end;
}

void Reopening::note_slower(const KeyStatistics& key, std::uint32_t candidate, double location,
                            std::uint64_t count) noexcept {
  if (count < believed_looks) return;
  Candidate& c = candidates_[candidate];
  if (!c.slower || location < c.location) {
    c.location = location;
    c.count = count;
  }
  const bool again = c.interval > 0.0 && key.calls - c.recovered < recovery_min;
  c.interval = again ? interval_factor * c.interval : first_interval;
  c.visited = key.calls;
  if (!c.slower) c.slower_since = key.calls;
  c.slow_at = key.calls;
  c.slower = true;
  c.with_others = false;
}

double Reopening::visit_at(const KeyStatistics& key, std::uint32_t candidate,
                           std::uint32_t leader) const noexcept {
  if (candidate >= candidates_.size()) return never;
  const Candidate& c = candidates_[candidate];
  if (!c.slower || c.with_others) return never;
  const double gain = key[leader].expected() - key[candidate].tail - c.location;
  if (!(gain > 0.0)) return never;
  const double cost = std::expm1(std::max(0.0, key[candidate].expected() - key[leader].expected()));
  // The shortest interval is the number of calls in which a recovery would save the cost of the visit.
  const double shortest = cost / gain;
  return c.visited + std::clamp(c.interval, shortest, std::max(first_interval, shortest / visiting_share));
}

void Reopening::launched(const KeyStatistics& key, std::uint32_t candidate) noexcept {
  if (candidate >= candidates_.size() || !candidates_[candidate].slower) return;
  Candidate& c = candidates_[candidate];
  if (key.calls >= c.visited + c.interval) c.interval *= interval_factor;
  c.visited = key.calls;
}

bool Reopening::moved_by(const KeyStatistics& key, const Sample& sample, double shift) noexcept {
  const double tolerance = std::max(3.0 * key.deviation(), 0.25 * std::abs(shift));
  return std::abs(sample.residual - shift) <= tolerance;
}

bool Reopening::is_over(const KeyStatistics& key, const Sample& sample) const noexcept {
  return common_ > faster_deviations * key.deviation() && moved_by(key, sample, -common_);
}

bool Reopening::has_recovered(const KeyStatistics& key, const Sample& sample) const noexcept {
  const Candidate& c = candidates_[sample.candidate];
  // An earlier location that rests on a single look is not believed: the look may have been disturbed, so
  // that a faster result now does not show that the change is over.
  if (!c.slower || c.count < believed_looks) return false;
  // Bursts increase the deviation, so that a result that has come most of the way back suffices.
  const double fall = believed(sample) - c.location;
  const double least = std::min(faster_deviations * key.deviation(), 0.75 * fall);
  return sample.residual < -least &&
         sample.log_latency <= c.location + std::max(3.0 * key.deviation(), 0.25 * fall);
}

// Notes that the candidate is as fast as before. If the change was common to all candidates, the others are
// restored as well.
void Reopening::recover(KeyStatistics& key, const Sample& sample) noexcept {
  Candidate& c = candidates_[sample.candidate];
  const bool as_before = c.slower && std::abs(sample.log_latency - c.location) <= 3.0 * key.deviation();
  if (as_before)
    key.restart(sample.candidate, c.location, std::min(c.count, restored_results));
  else
    key.restart(sample.candidate, sample.log_latency, 1);
  const bool all = c.with_others || is_over(key, sample);
  if (c.slower) {
    c.interval = std::max(first_interval, c.interval / interval_factor);
    if (!c.with_others) note_end(key, c, c.slower_since);
  }
  c.slower = c.with_others = false;
  c.recovered = key.calls;
  if (all) take_back(key, sample.candidate);
}

void Reopening::take_back(KeyStatistics& key, std::uint32_t except) noexcept {
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    Candidate& c = candidates_[i];
    if (i == except || key[i].count == 0) continue;
    if (key[i].moved != 0.0) {
      key.move(i, 0.0);
    } else if (c.slower && c.with_others) {
      key.restart(i, c.location, std::min(c.count, restored_results));
      key.doubt(i);
    }
    if (c.with_others) c.slower = c.with_others = false;
    c.standing = Standing::fresh;
  }
  common_ = lasting_ = shift_ = 0.0;
}

void Reopening::refresh(KeyStatistics& key, const Sample& sample) noexcept {
  const double noise = faster_deviations * key.deviation();
  // An alarm increases the deviation, so that half of the leader's shift suffices as a change.
  if (std::abs(sample.residual) > std::min(noise, 0.5 * std::abs(alarm_))) {
    if (sample.residual > 0.0)
      note_slower(key, sample.candidate, candidates_[sample.candidate].doubted,
                  key[sample.candidate].count - 1);
    key.restart(sample.candidate, sample.log_latency, 1);
  }
  if (shift_ == 0.0) return;
  const bool common = moved_by(key, sample, shift_);
  if (common) move_along(key, sample.candidate);
  // A result that is later than the shift explains was disturbed itself: the next fresh result decides.
  if (common || sample.residual < std::max(shift_, noise)) shift_ = 0.0;
}

void Reopening::move_along(KeyStatistics& key, std::uint32_t candidate) noexcept {
  common_ = shift_;
  lasting_ = std::max(0.0, shift_);
  for (const std::uint32_t i : {alarmed_, candidate}) candidates_[i].with_others = candidates_[i].slower;
  const bool cold = key.starts_cold();
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    Candidate& c = candidates_[i];
    const VariantStatistics& before = key[i];
    if (c.standing != Standing::stale) continue;
    if (!c.slower && shift_ > 0.0) {
      c.location = before.own_location();
      c.count = before.count;
      c.slower = c.with_others = true;
    }
    if (!key.move(i, before.moved + shift_)) continue;
    c.standing = key.agreeing(i, cold) < believed_looks ? Standing::moved : Standing::fresh;
  }
}

}  // namespace adaptive::policies

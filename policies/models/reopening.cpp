#include "policies/models/reopening.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace adaptive::inline v1::policies {
namespace {

constexpr double faster_deviations = 4.0;
constexpr std::uint64_t believed_looks = 2;

// Results that a restored location counts as: enough for the drift detector to watch it at once, few enough
// for the location to follow if it is not quite what it was.
constexpr std::uint64_t restored_results = 9;

// Calls until the first visit to a candidate that has become slower. How long a disturbance lasts has no
// natural scale, so that each further interval is a multiple of the one before.
constexpr double first_interval = 16.0;
constexpr double interval_factor = 3.0;
// A candidate that becomes slower again before it has run for so many calls does not earn a short interval.
constexpr double recovery_min = 32.0;
// However long the candidate has been slower, visits may take this share of what a recovery would save.
constexpr double visiting_share = 1.0 / 512;

// An episode that comes for the fourth time may come again.
constexpr std::uint32_t episodes_min = 3;
// An episode is sat out for so many times the longest one before: then it is a lasting change.
constexpr double longer_than_ever = 2.0;

// The location that the sample's residual is measured from.
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
    return;  // memory is short: changes are not noticed
  }
  if (!calm_ && follow_change(key, sample)) return;
  if (sample.candidate == leader) {
    if (sits_out(key, sample, leader) || !detector_.add(key, sample)) return;
    if (may_sit_out(key, leader))
      tolerated_ = {leader, key.calls, candidates_[leader].location, candidates_[leader].count};
    else
      reopen(key, leader);
  } else if (key[sample.candidate].count > 2 && sample.residual < -faster_deviations * key.deviation()) {
    // Whatever disturbs a launch makes it later, never earlier: the candidate has become faster. Below a
    // single result it was that one which was slow.
    key.restart(sample.candidate, sample.log_latency, 1);
  }
}

// Takes a result while a change is on record. True if the result tells of the change and of nothing else.
bool Reopening::follow_change(KeyStatistics& key, const Sample& sample) noexcept {
  const Standing before = std::exchange(candidates_[sample.candidate].standing, Standing::fresh);
  // Where a single look was hit by a burst, it is as far above the next as all were moved by another.
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
    take_back(key, leader);  // what made all slower is over
  }
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (i == leader || key[i].count == 0) continue;
    key.doubt(i);
    candidates_[i].standing = Standing::stale;
    candidates_[i].doubted = key[i].own_location();
  }
  // Of one kind, and no more than one look: something that passes may have disturbed them all.
  key.restart(leader, detector_.level(), 1);
  alarmed_ = leader;
  alarm_ = shift_ = shift;
  common_ = 0.0;
  note_calm();
}

// Whether the leader has become slower as it has before, and is the best all the same.
bool Reopening::may_sit_out(const KeyStatistics& key, std::uint32_t leader) const noexcept {
  const Candidate& c = candidates_[leader];
  if (detector_.level() <= key[leader].location || c.episodes.ended < episodes_min) return false;
  // A change of another size, or from another level, is another one.
  const double tolerance = 0.25 * (c.episodes.level - c.location);
  if (std::abs(detector_.level() - c.episodes.level) > tolerance ||
      std::abs(key[leader].location - c.location) > tolerance)
    return false;
  const double mean = c.episodes.mean(c.location);
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (i != leader && key[i].available && key[i].count > 0 && key[i].expected() < mean) return false;
  return true;
}

// Takes a result of the leader while it may sit out an episode. False where it does not, or no longer.
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

// Returns when the episode ended, in calls of the key.
double Reopening::note_end(const KeyStatistics& key, Candidate& candidate, double since) noexcept {
  Episodes& e = candidate.episodes;
  // It ended at some time between the latest two results.
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
  // Not before a recovery would have saved what the visit costs.
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
  // A single look may have been disturbed itself: that the next is faster says nothing of the others.
  if (!c.slower || c.count < believed_looks) return false;
  // Bursts widen the deviation: most of the way back is enough.
  const double fall = believed(sample) - c.location;
  const double least = std::min(faster_deviations * key.deviation(), 0.75 * fall);
  return sample.residual < -least &&
         sample.log_latency <= c.location + std::max(3.0 * key.deviation(), 0.25 * fall);
}

// The candidate is as fast as before. So are the others, where they became slower with it.
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
  // An alarm widens the deviation: what has moved halfway as the leader did has moved.
  if (std::abs(sample.residual) > std::min(noise, 0.5 * std::abs(alarm_))) {
    if (sample.residual > 0.0)
      note_slower(key, sample.candidate, candidates_[sample.candidate].doubted,
                  key[sample.candidate].count - 1);
    key.restart(sample.candidate, sample.log_latency, 1);
  }
  if (shift_ == 0.0) return;
  const bool common = moved_by(key, sample, shift_);
  if (common) move_along(key, sample.candidate);
  // What is later than either would have it was disturbed besides: the next fresh result tells.
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

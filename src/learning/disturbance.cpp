// Disturbances: times in which launches take longer, whichever variant runs.
#include <adaptive/statistics.hpp>

#include <algorithm>

namespace adaptive::inline v1 {
namespace {

using Doubt = VariantStatistics::Doubt;

// A result in a disturbance may have been late by this factor times the largest lateness that was seen in it,
// in log latency.
constexpr double spoiled_reach = 1.5;
// Difference of log latency from which a result below the location shows that the location was disturbed.
constexpr double calm_drop = 0.15;

// A disturbance makes results late, never early: if the fastest of the first results is far below the
// location, the others may be from a disturbance.
bool contradicts_itself(const VariantStatistics& c, double limit) noexcept {
  if (c.count < 3 || c.count > VariantStatistics::first_count) return false;
  const auto end = c.first.begin() + static_cast<std::ptrdiff_t>(c.count);
  return *std::min_element(c.first.begin(), end) < c.location - limit;
}

}  // namespace

// Takes a result that has been added. `limit`: the residual from which it is late.
void KeyStatistics::follow_disturbance(const Sample& sample, double limit) noexcept {
  VariantStatistics& c = candidates[sample.candidate];
  // A first result says nothing about disturbances, and a result of a candidate in doubt does not show that a
  // disturbance is over.
  if (c.disturbed != Doubt::none)
    late_in_a_row_ += late_in_a_row_ > 0 ? 1 : 0;
  else if (sample.residual > limit)
    note_late_launch(sample.residual);
  else if (c.count > 1)
    note_launch_in_time(sample, limit);
  if (c.disturbed == Doubt::pending && sample.candidate == latest_leader_) c.disturbed = Doubt::none;
  if (c.disturbed == Doubt::spoiled) {
    c.disturbed = Doubt::pending;
    pending_ = true;
  }
  if (contradicts_itself(c, limit)) c.disturbed = Doubt::spoiled;
}

void KeyStatistics::note_late_launch(double residual) noexcept {
  ++late_in_a_row_;
  excess_ = std::max(excess_, residual);
}

// Ends a disturbance if there is one. Candidates whose first result came during it, after the latest result
// in time, may be spoiled. A result that is far below its candidate's location, and below the leader's, shows
// that all results before it may have been disturbed.
void KeyStatistics::note_launch_in_time(const Sample& sample, double limit) noexcept {
  const bool was_disturbed = late_in_a_row_ > 0;
  if (sample.residual < -limit && sample.log_latency < candidates[latest_leader_].location - limit) {
    const double since = candidates[sample.candidate].restarted_at;
    spoil(sample, since > 0.0 ? since : -1.0, std::max(excess_, -sample.residual));
    if (sample.residual < -calm_drop) restart(sample.candidate, sample.log_latency, 1);
  } else if (was_disturbed) {
    spoil(sample, calm_at_, excess_);
  }
  if (pending_) resolve(was_disturbed ? Doubt::spoiled : Doubt::none);
  late_in_a_row_ = 0;
  excess_ = 0.0;
  calm_at_ = calls;
}

// Notes that the results of the candidates that are known only since the call `since` may have been late by
// about `excess`, in log latency. Candidates that are so far behind the witness that this does not explain it
// need no new result.
void KeyStatistics::spoil(const Sample& witness, double since, double excess) noexcept {
  const double reach = witness.log_latency + spoiled_reach * excess;
  bool any = false;
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    VariantStatistics& c = candidates[i];
    if (i == witness.candidate || c.count == 0 || c.known_since <= since || c.location > reach) continue;
    c.disturbed = Doubt::spoiled;
    any = true;
  }
  if (any) ++revision_;
}

// Decides whether the latest looks at spoiled candidates were disturbed as well, or count.
void KeyStatistics::resolve(Doubt outcome) noexcept {
  for (VariantStatistics& c : candidates)
    if (c.disturbed == Doubt::pending) c.disturbed = outcome;
  pending_ = false;
  ++revision_;
}

}  // namespace adaptive

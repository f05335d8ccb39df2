#include "learning/key/revalidation.hpp"

#include <algorithm>
#include <cmath>

namespace adaptive::inline v1::core {
namespace {

// Ratio of a look's latency to the expected latency above which the look was disturbed.
constexpr double disturbed = 2.0;

double cost_ns(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t leader) noexcept {
  return std::max(0.0, std::exp(key[candidate].location) - std::exp(key[leader].location));
}

// The expected cost of a look, in nanoseconds. If the candidate's location may rest on an outlier, the cost
// is limited to that of the slowest other candidate.
double expected_cost_ns(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t leader) noexcept {
  const double cost = cost_ns(key, candidate, leader);
  if (key.agreeing(candidate, key.starts_cold()) >= 2) return cost;
  double most = 0.0;
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (i != candidate && i != leader && key[i].count > 0) most = std::max(most, cost_ns(key, i, leader));
  return most > 0.0 ? std::min(cost, most) : cost;
}

}  // namespace

std::optional<std::uint32_t> Revalidation::due(const KeyStatistics& key, std::uint32_t leader,
                                               double share) noexcept {
  if (!(share > 0.0) || key[leader].count == 0) return std::nullopt;
  // If the result of a look never comes, `pending` falls to 0 when its ticket is given up.
  if (looking_at_ != none && (looking_at_ >= key.size() || key[looking_at_].pending == 0)) looking_at_ = none;
  if (looking_at_ != none) return std::nullopt;
  std::optional<std::uint32_t> oldest;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    const VariantStatistics& c = key[i];
    if (i == leader || !c.available || c.count == 0 || c.pending > 0) continue;
    if (!oldest || c.asked_at < key[*oldest].asked_at) oldest = i;
  }
  if (!oldest) return std::nullopt;
  const double earned = share * key.calls * std::exp(key[leader].location);
  if (spent_ns_ + expected_cost_ns(key, *oldest, leader) > earned) return std::nullopt;
  return oldest;
}

void Revalidation::launched(const KeyStatistics& key, std::uint32_t candidate,
                            std::uint32_t leader) noexcept {
  looking_at_ = candidate;
  leader_ns_ = std::exp(key[leader].location);
  expected_ns_ = expected_cost_ns(key, candidate, leader);
  spent_ns_ += expected_ns_;
}

void Revalidation::note_result(std::uint32_t candidate, double ns) noexcept {
  if (candidate != looking_at_) return;
  looking_at_ = none;
  const std::uint64_t bit = candidate < 64 ? std::uint64_t{1} << candidate : 0;
  const bool late = ns > disturbed * (leader_ns_ + expected_ns_);
  // A disturbance would have hit a launch of the leader as well, so that it is not charged to the look,
  // unless two looks at the candidate in a row are disturbed.
  const bool excused = late && bit != 0 && (late_ & bit) == 0;
  if (!excused) spent_ns_ += std::max(0.0, ns - leader_ns_) - expected_ns_;
  late_ = late ? late_ | bit : late_ & ~bit;
}

}  // namespace adaptive::core

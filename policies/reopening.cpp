#include "reopening.hpp"

#include <algorithm>
#include <cmath>

namespace adaptive::policies {
namespace {

constexpr double faster_deviations = 4.0;
constexpr std::uint64_t believed_looks = 2;

// What a candidate's results of before say, moved by `shift`. Looks that are still believed need not be made
// again; but a change must not confirm an outlier, nor a single look after a cold start.
void remember(KeyStatistics& key, std::uint32_t candidate, double shift, bool cold) noexcept {
  if (key.agreeing(candidate, cold) >= believed_looks)
    key.remember(candidate, key[candidate].location + shift, believed_looks);
  else
    key.remember_apart(candidate, shift);
}

}  // namespace

void Reopening::watch(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept {
  const Standing before = standing(sample.candidate);
  if (before != Standing::fresh) standing_[sample.candidate] = Standing::fresh;
  // Where a single look was hit by a burst, it is as far above the next as all were moved by another.
  if (before != Standing::moved && is_over(key, sample)) {
    take_back(key, sample);
    return;
  }
  if (before == Standing::stale) {
    refresh(key, sample);
    return;
  }
  if (sample.candidate == leader) {
    if (detector_.add(key, sample)) reopen(key, leader);
  } else if (key[sample.candidate].count > 2 && sample.residual < -faster_deviations * key.deviation()) {
    // Whatever disturbs a launch makes it later, never earlier: the candidate has become faster. Below a
    // single result it was that one which was slow.
    key.restart(sample.candidate, sample.log_latency, 1);
  }
}

void Reopening::reopen(KeyStatistics& key, std::uint32_t leader) noexcept {
  shift_ = detector_.level() - key[leader].location;
  try {
    standing_.assign(key.size(), Standing::fresh);
  } catch (...) {
    // Memory is short: the others keep their old standing, which IMED corrects more slowly.
  }
  const bool cold = key.starts_cold();
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (i == leader || key[i].count == 0) continue;
    remember(key, i, 0.0, cold);
    if (i < standing_.size()) standing_[i] = Standing::stale;
  }
  // Of one kind, and no more than one look: something that passes may have disturbed them all.
  key.restart(leader, detector_.level(), 1);
  common_ = 0.0;
}

bool Reopening::moved_by(const KeyStatistics& key, const Sample& sample, double shift) noexcept {
  const double tolerance = std::max(3.0 * key.deviation(), 0.25 * std::abs(shift));
  return std::abs(sample.residual - shift) <= tolerance;
}

bool Reopening::is_over(const KeyStatistics& key, const Sample& sample) const noexcept {
  return common_ > faster_deviations * key.deviation() && moved_by(key, sample, -common_);
}

void Reopening::take_back(KeyStatistics& key, const Sample& sample) noexcept {
  const bool cold = key.starts_cold();
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (i != sample.candidate && key[i].count > 0) remember(key, i, -common_, cold);
  key.restart(sample.candidate, sample.log_latency, 1);
  std::fill(standing_.begin(), standing_.end(), Standing::fresh);
  common_ = shift_ = 0.0;
}

void Reopening::refresh(KeyStatistics& key, const Sample& sample) noexcept {
  key.restart(sample.candidate, sample.log_latency, 1);
  if (shift_ == 0.0) return;
  const bool common = moved_by(key, sample, shift_);
  if (common) move_along(key);
  // What is later than either would have it was disturbed besides: the next fresh result tells.
  if (common || sample.residual < std::max(shift_, faster_deviations * key.deviation())) shift_ = 0.0;
}

void Reopening::move_along(KeyStatistics& key) noexcept {
  common_ = shift_;
  const bool cold = key.starts_cold();
  for (std::uint32_t i = 0; i < standing_.size() && i < key.size(); ++i) {
    if (standing_[i] != Standing::stale) continue;
    standing_[i] = key.agreeing(i, cold) < believed_looks ? Standing::moved : Standing::fresh;
    remember(key, i, shift_, cold);
  }
}

}  // namespace adaptive::policies

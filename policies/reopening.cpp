#include "reopening.hpp"

#include <algorithm>
#include <cmath>

namespace adaptive::policies {
namespace {

constexpr double faster_deviations = 4.0;

}  // namespace

void Reopening::watch(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept {
  if (sample.candidate < stale_.size() && stale_[sample.candidate]) {
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
    stale_.assign(key.size(), false);
  } catch (...) {
    // Memory is short: the others keep their old standing, which IMED corrects more slowly.
  }
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (i == leader || key[i].count == 0) continue;
    key.restart(i, key[i].location, 1);
    if (i < stale_.size()) stale_[i] = true;
  }
  key.restart(leader, detector_.level(), detector_.weight());
}

void Reopening::refresh(KeyStatistics& key, const Sample& sample) noexcept {
  stale_[sample.candidate] = false;
  key.restart(sample.candidate, sample.log_latency, 1);
  if (shift_ == 0.0) return;
  const double tolerance = std::max(3.0 * key.deviation(), 0.25 * std::abs(shift_));
  if (std::abs(sample.residual - shift_) <= tolerance) {
    for (std::uint32_t i = 0; i < stale_.size() && i < key.size(); ++i) {
      if (!stale_[i]) continue;
      key.restart(i, key[i].location + shift_, 1);
      stale_[i] = false;
    }
  }
  shift_ = 0.0;
}

}  // namespace adaptive::policies

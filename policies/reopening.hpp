// What follows when the leader's latency has changed.
#pragma once

#include <cstdint>
#include <vector>

#include <adaptive/statistics.hpp>
#include "drift.hpp"

namespace adaptive::policies {

/// After an alarm the leader starts again at its new level, and what is known of the others is stale: it
/// still says whom to look at next, but the first fresh result replaces it. Where that result has moved as
/// the leader did, the change is common to all (another clock, a busy machine), and the candidates not looked
/// at yet are moved along instead of being looked at; and moved back once a result says that it is over, as
/// after a burst of contention.
class Reopening {
 public:
  /// To be called with every result; `leader` is the candidate that was in use. Restarts candidates of `key`.
  void watch(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept;

  bool rising() const noexcept { return detector_.rising(); }

 private:
  void reopen(KeyStatistics& key, std::uint32_t leader) noexcept;
  void refresh(KeyStatistics& key, const Sample& sample) noexcept;
  bool is_over(const KeyStatistics& key, const Sample& sample) const noexcept;
  void take_back(KeyStatistics& key, const Sample& sample) noexcept;
  static bool moved_by(const KeyStatistics& key, const Sample& sample, double shift) noexcept;
  void move_along(KeyStatistics& key) noexcept;

  /// What is known of a candidate since the last alarm.
  enum class Standing : std::uint8_t {
    fresh,
    stale,  ///< nothing
    moved   ///< nothing but that all have moved, and before that it had no two looks that agreed
  };
  Standing standing(std::uint32_t candidate) const noexcept {
    return candidate < standing_.size() ? standing_[candidate] : Standing::fresh;
  }

  DriftDetector detector_;
  std::vector<Standing> standing_;
  double common_ = 0.0;  // the latest shift that all had in common, upwards and not yet taken back
  double shift_ = 0.0;   // of the leader's location at the last alarm; 0 once it is known whose it was
};

}  // namespace adaptive::policies

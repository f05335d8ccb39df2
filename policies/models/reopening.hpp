// What happens after a change of the leader's latency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <adaptive/statistics.hpp>
#include "policies/models/drift.hpp"

namespace adaptive::inline v1::policies {

/// After an alarm, the leader starts again at its new level, and the results of the other candidates are
/// doubted until each has a fresh one. If the first fresh result has moved as the leader did, the change is
/// common to all candidates (another clock frequency, a busy machine). The locations of candidates that have
/// not been launched since then are shifted by the change, without a look, and shifted back once a result
/// shows that the change is over.
///
/// A candidate that alone has become slower may recover, for example after a burst that hit only its
/// launches. Its earlier location is kept. As long as the candidate would be the leader at that location, it
/// is visited at growing intervals. A location is always restored from the candidate's own results, never by
/// arithmetic on a location that was shifted before.
///
/// A leader that has become slower and recovered several times is judged by its mean over these episodes. If
/// that mean is still the best, another episode does not replace the leader, unless it lasts much longer than
/// any before.
class Reopening {
 public:
  /// Allocates the memory for the candidates of a key, so that `watch` need not. Throws `std::bad_alloc`.
  void prepare(std::size_t candidates);

  /// Must be called with every result. `leader`: the candidate that led before the result. May restart
  /// candidates of `key`.
  void watch(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept;

  /// The number of the key's calls from which a candidate that became slower is due for a visit; infinite if
  /// no visit is to be made.
  double visit_at(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t leader) const noexcept;

  /// Notes that the candidate is launched, which counts as a visit.
  void launched(const KeyStatistics& key, std::uint32_t candidate) noexcept;

  /// `DriftDetector::rising` for the leader.
  bool rising() const noexcept { return detector_.rising(); }

 private:
  static constexpr double never = std::numeric_limits<double>::infinity();

  /// The episodes in which a candidate was slower. Durations are in calls of the key.
  struct Episodes {
    std::uint32_t ended = 0;  ///< number of episodes that have ended
    double slow = 0.0;        ///< total duration of the episodes
    double fast = 0.0;        ///< total duration of the times between them
    double longest = 0.0;     ///< duration of the longest episode
    double level = 0.0;       ///< log latency in the latest episode

    /// The logarithm of the mean latency over episodes and the times between them. `location`: the
    /// candidate's log latency between episodes.
    double mean(double location) const noexcept;
  };

  /// An episode that the leader may sit out.
  struct Tolerated {
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    std::uint32_t candidate = none;
    double since = 0.0;       ///< number of the key's calls when the episode began
    double location = 0.0;    ///< log latency before the episode
    std::uint64_t count = 0;  ///< number of results behind `location`
  };

  /// What is known about a candidate since the latest alarm.
  enum class Standing : std::uint8_t {
    fresh,  ///< it has a result, or has been shifted along and had two results that agreed
    stale,  ///< nothing
    moved   ///< it has been shifted along, but never had two results that agreed
  };

  struct Candidate {
    Standing standing = Standing::fresh;
    bool slower = false;       ///< it is slower than it was at `location`
    bool with_others = false;  ///< it became slower by a change that is common to all candidates
    double location = 0.0;     ///< log latency before it became slower
    std::uint64_t count = 0;   ///< number of results behind `location`
    double doubted = 0.0;      ///< log latency by the candidate's own results when it became stale
    // In calls of the key:
    double visited = 0.0;       ///< the latest visit, or when it became slower
    double interval = 0.0;      ///< from `visited` to the next visit
    double slower_since = 0.0;  ///< when it became slower
    double slow_at = 0.0;       ///< the latest slow result
    double recovered = 0.0;     ///< when it was last as fast as before
    Episodes episodes = {};
  };

  bool follow_change(KeyStatistics& key, const Sample& sample) noexcept;
  void note_calm() noexcept;
  void reopen(KeyStatistics& key, std::uint32_t leader) noexcept;
  bool may_sit_out(const KeyStatistics& key, std::uint32_t leader) const noexcept;
  bool sits_out(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept;
  static double note_end(const KeyStatistics& key, Candidate& candidate, double since) noexcept;
  void refresh(KeyStatistics& key, const Sample& sample) noexcept;
  bool is_over(const KeyStatistics& key, const Sample& sample) const noexcept;
  bool has_recovered(const KeyStatistics& key, const Sample& sample) const noexcept;
  void recover(KeyStatistics& key, const Sample& sample) noexcept;
  void note_slower(const KeyStatistics& key, std::uint32_t candidate, double location,
                   std::uint64_t count) noexcept;
  void take_back(KeyStatistics& key, std::uint32_t except) noexcept;
  static bool moved_by(const KeyStatistics& key, const Sample& sample, double shift) noexcept;
  void move_along(KeyStatistics& key, std::uint32_t candidate) noexcept;

  // Whether no change is on record: no candidate is slower than before, and all have results since the latest
  // alarm. `watch` then need not look at the result's candidate.
  bool calm_ = true;
  DriftDetector detector_;
  std::vector<Candidate> candidates_;
  Tolerated tolerated_;
  // Shifts are differences of log latency.
  std::uint32_t alarmed_ = 0;  // the leader at the latest alarm
  double common_ = 0.0;        // the shift of all candidates since the latest alarm; 0: none, or it is over
  double lasting_ = 0.0;       // the same if it was upwards; kept at further alarms
  double alarm_ = 0.0;         // the shift of the leader at the latest alarm
  double shift_ = 0.0;         // the same; 0 once it is known whether all candidates share it
};

}  // namespace adaptive::policies

// What follows when the leader's latency has changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <adaptive/statistics.hpp>
#include "policies/models/drift.hpp"

namespace adaptive::inline v1::policies {

/// After an alarm the leader starts again at its new level, and the results of the other candidates are
/// doubted until each has a fresh one. Where the first fresh result has moved as the leader did, the change
/// is common to all (another clock, a busy machine): the candidates that have not been launched since are
/// moved along instead of being looked at, and moved back once a result says that the change is over.
///
/// A candidate that has become slower on its own may recover, as after a burst that met only its launches.
/// Its earlier location is kept, and it is visited at growing intervals as long as it would be the leader
/// were it as fast as before. What is restored is always what the candidate's own results said: no location
/// is changed by arithmetic on an already changed one.
///
/// A leader that has become slower and recovered several times is judged by its mean over such episodes. If
/// the mean is still the best, another episode is no reason to leave the leader, as long as it does not last
/// much longer than any before.
class Reopening {
 public:
  /// Makes room for the candidates of a key, so that results need not allocate.
  void prepare(std::size_t candidates);

  /// To be called with every result; `leader` is the candidate that was in use. Restarts candidates of `key`.
  void watch(KeyStatistics& key, const Sample& sample, std::uint32_t leader) noexcept;

  /// The number of calls from which on a candidate that became slower is due for a visit; infinite where none
  /// is due.
  double visit_at(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t leader) const noexcept;

  /// The candidate is launched: a visit that was due is made.
  void launched(const KeyStatistics& key, std::uint32_t candidate) noexcept;

  bool rising() const noexcept { return detector_.rising(); }

 private:
  static constexpr double never = std::numeric_limits<double>::infinity();

  /// How often and for how long a candidate has been slower. Times are in calls of the key.
  struct Episodes {
    std::uint32_t ended = 0;
    double slow = 0.0;     ///< sum over the episodes
    double fast = 0.0;     ///< sum over the times between them
    double longest = 0.0;  ///< of the episodes
    double level = 0.0;    ///< log latency in the latest episode

    /// The mean latency over the times seen, as a logarithm; `location` is the candidate's when it is fast.
    double mean(double location) const noexcept;
  };

  /// An episode that the leader may sit out.
  struct Tolerated {
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    std::uint32_t candidate = none;
    double since = 0.0;     ///< calls of the key
    double location = 0.0;  ///< log latency before the episode
    std::uint64_t count = 0;
  };

  /// What is known of a candidate since the last alarm.
  enum class Standing : std::uint8_t {
    fresh,
    stale,  ///< nothing
    moved   ///< nothing but that all have moved, and before that it had no two looks that agreed
  };

  struct Candidate {
    Standing standing = Standing::fresh;
    bool slower = false;       ///< `location` and `count` are of before it became slower
    bool with_others = false;  ///< and it did so when all did
    double location = 0.0;     ///< log latency
    std::uint64_t count = 0;
    double doubted = 0.0;       ///< log latency by the candidate's own results when it became stale
    double visited = 0.0;       ///< calls of the key at the last visit, or when it became slower
    double interval = 0.0;      ///< calls until the next visit
    double slower_since = 0.0;  ///< calls of the key
    double slow_at = 0.0;       ///< calls of the key at the latest slow result
    double recovered = 0.0;     ///< calls of the key when it was last as fast as before
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

  // Whether no change is on record: no candidate is slower than before, and all have results since the last
  // alarm. Then a result need not look at its candidate.
  bool calm_ = true;
  DriftDetector detector_;
  std::vector<Candidate> candidates_;
  Tolerated tolerated_;
  std::uint32_t alarmed_ = 0;  // the leader at the last alarm
  double common_ = 0.0;        // the latest shift that all had in common, upwards and not yet taken back
  double lasting_ = 0.0;       // the same, also after further alarms
  double alarm_ = 0.0;         // the shift of the leader's location at the last alarm
  double shift_ = 0.0;         // the same; 0 once it is known whose it was
};

}  // namespace adaptive::policies

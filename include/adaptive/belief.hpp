#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

class KeyStatistics;

/// The believed log latency of each candidate of a key: its expectation (`Expectations`), corrected by the
/// key's own results. A result of one candidate also corrects candidates that are expected to be similar.
///
/// Log latencies are jointly normal. The scale of the errors of the expectations is not known exactly: if the
/// key's results show larger errors than assumed, every variance grows (a Student-t process; Shah, Wilson and
/// Ghahramani, 2014). A result that the other results contradict counts less, the more likely it is an
/// outlier. The time of an update grows with the number of candidates with results times the square of the
/// number of candidates; it is some microseconds for 24 candidates. An update allocates nothing once
/// `prepare` has reserved memory.
///
/// Not thread-safe; `KeyStatistics` keeps it up to date.
class ADAPTIVE_EXPORT Belief {
 public:
  /// Reserves memory for exactly `candidates` candidates. Throws `std::bad_alloc`.
  void prepare(std::size_t candidates);
  /// Brings the belief up to date with the results of `key`. Does nothing if memory is not reserved for
  /// exactly the number of candidates of the key, or if the key has no expectations.
  void update(const KeyStatistics& key) noexcept;

  /// Whether memory is reserved for exactly `candidates` candidates.
  bool fits(std::size_t candidates) const noexcept { return location_.size() == candidates; }
  /// Number of candidates with results at the latest update.
  std::size_t measured() const noexcept { return measured_; }
  /// Believed log latency, without the candidate's tail of outliers.
  double location(std::size_t candidate) const noexcept { return location_[candidate]; }
  /// Variance of the difference between the log latencies of candidates `a` and `b`.
  double variance_between(std::size_t a, std::size_t b) const noexcept;

 private:
  float& at(std::size_t a, std::size_t b) noexcept { return covariance_[a * location_.size() + b]; }
  void start(const KeyStatistics& key) noexcept;
  double learn_all(const KeyStatistics& key, std::size_t first, double scale) noexcept;
  void learn_level(std::size_t candidate, double location, double noise) noexcept;
  void learn(std::size_t candidate, double location, double noise) noexcept;
  bool doubt_outliers(const KeyStatistics& key) noexcept;
  void update_apart(const KeyStatistics& key) noexcept;

  std::vector<float> location_;
  std::vector<float> covariance_;  // row by row; only the variances if there are too many candidates
  std::vector<float> noise_;       // variance of each measured location; negative without results
  std::vector<float> column_;      // room for one column of `covariance_`
  std::size_t measured_ = 0;
};

}  // namespace adaptive

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

class KeyStatistics;

/// What is believed of the candidates of a key: their expectations (`Expectations`), conditioned on the key's
/// own results. A result of one candidate also says something of those that are expected to be alike.
///
/// Log latencies are jointly normal, and the size of the errors of the expectations is itself only expected:
/// where the key's results show that they are larger, so is every variance (a Student-t process; Shah, Wilson
/// and Ghahramani, 2014). A single result that the other results contradict counts as little as it is likely
/// to be an outlier. The cost of an update is the number of candidates with results times the square of the
/// number of candidates, some microseconds for 24 candidates; it allocates nothing once `prepare` has made
/// room.
///
/// Not thread-safe; `KeyStatistics` keeps it up to date.
class ADAPTIVE_EXPORT Belief {
 public:
  /// Makes room for so many candidates. Throws `std::bad_alloc`.
  void prepare(std::size_t candidates);
  /// Takes up the present results of `key`. Does nothing if there is no room for its candidates.
  void update(const KeyStatistics& key) noexcept;

  bool fits(std::size_t candidates) const noexcept { return location_.size() == candidates; }
  /// Number of candidates with results at the latest update.
  std::size_t measured() const noexcept { return measured_; }
  /// Believed log latency, without the candidate's tail of outliers.
  double location(std::size_t candidate) const noexcept { return location_[candidate]; }
  /// Variance of the believed difference of two log latencies.
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
  std::vector<float> covariance_;  // row by row; only the variances where there are too many candidates
  std::vector<float> noise_;       // variance of each location measured
  std::vector<float> column_;
  std::size_t measured_ = 0;
};

}  // namespace adaptive

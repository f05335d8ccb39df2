// Notices that a variant's latency has changed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::policies {

/// Two-sided cumulative sum of a candidate's standardised residuals, clipped so that an outlier cannot raise
/// it alone (Page, "Continuous inspection schemes", Biometrika 41, 1954; slack of 1 and threshold of 9
/// deviations: a false alarm once in about 10^7 results, a step of three deviations or more found after 5).
class DriftDetector {
 public:
  /// Takes a result of the leader. True at an alarm; the detector then starts again.
  bool add(const KeyStatistics& key, const Sample& sample) noexcept;

  /// Where the latency was at the last alarm: of the results that took the sum through the upper half of its
  /// way. Those of the lower half may have been before the change: chance alone takes it as far at times.
  double level() const noexcept { return level_; }

  /// Whether a sum is on its way to the threshold: the time to look closely.
  bool rising() const noexcept { return up_.height >= slack * 2 || down_.height >= slack * 2; }

 private:
  static constexpr double slack = 1.0;
  static constexpr double threshold = 9.0;
  static constexpr double clip = 3.0;
  static constexpr std::uint64_t results_min = 8;

  struct Sum {
    double height = 0.0;
    std::size_t upper = 0;  // results since it was at half the threshold

    void add(double step) noexcept;
  };

  void forget() noexcept;

  std::uint32_t candidate_ = ~std::uint32_t{0};
  Sum up_;
  Sum down_;
  std::array<double, 8> latest_{};
  std::size_t results_ = 0;
  double level_ = 0.0;
};

}  // namespace adaptive::policies

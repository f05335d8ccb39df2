// Detects a change of a variant's latency.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::policies {

/// Two-sided cumulative sum (CUSUM) of a candidate's standardised residuals. The residuals are clipped, so
/// that one outlier alone cannot cause an alarm. With a slack of 1 and a threshold of 9 standard deviations,
/// there is one false alarm in about 10^7 results, and a step of three deviations or more is detected after 5
/// results. Source: Page, "Continuous inspection schemes", Biometrika 41, 1954.
class DriftDetector {
 public:
  /// Takes a result of the leader. Returns true at an alarm; the detector then starts again.
  bool add(const KeyStatistics& key, const Sample& sample) noexcept;

  /// The new log latency at the latest alarm: the median of the results that raised the sum from half the
  /// threshold to the threshold. Earlier results may be from before the change, because chance alone
  /// sometimes raises the sum that far.
  double level() const noexcept { return level_; }

  /// Whether a sum is well above zero, so that an alarm may follow: every call should then be timed.
  bool rising() const noexcept { return up_.height >= slack * 2 || down_.height >= slack * 2; }

 private:
  // In standard deviations of one result.
  static constexpr double slack = 1.0;
  static constexpr double threshold = 9.0;
  static constexpr double clip = 3.0;
  // Number of results of the candidate from which its residuals are used.
  static constexpr std::uint64_t results_min = 8;

  struct Sum {
    double height = 0.0;
    std::size_t upper = 0;  // number of latest results with the sum above half the threshold

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

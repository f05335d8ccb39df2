// What a key's own results say about the priors that a table or a neighbour gave it.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::policies {

/// Model: location = centre + slope · (prior - centre) + offset + error, about the mean of the priors.
///
/// The offset is common to the key (another clock, another shape), its estimate the median over the measured
/// candidates, so that no single one decides it. The slope is 1 where the priors are as good as they say.
/// Where they are not, how they differ is error in part: who promised to be the fastest is overrated the
/// most, and the slowest underrated (regression to the mean; Efron and Morris, "Stein's estimation rule and
/// its competitors", Journal of the American Statistical Association 68, 1973). How large the errors are is
/// the likeliest of some sizes, given the results; what is left scatters by the priors' deviations times a
/// factor. One launch may be an outlier, late and never early: a single result far above what is expected is
/// excused while it is the only one.
class PriorRegression {
 public:
  explicit PriorRegression(const KeyStatistics& key) noexcept;

  /// How many candidates have both a prior and results.
  std::size_t measured() const noexcept { return count_; }

  double location(const VariantStatistics& candidate) const noexcept {
    return at(candidate.prior, slope_, offset_);
  }
  double deviation(const VariantStatistics& candidate) const noexcept {
    return factor_ * candidate.prior_deviation;
  }
  /// How many times larger than claimed the errors are, as variances; at least 1.
  double scale() const noexcept { return scale_; }
  /// Deviation of the priors of all candidates.
  double spread() const noexcept { return spread_; }

 private:
  // More residuals than this improve nothing any further.
  static constexpr std::size_t measured_max = 64;

  struct Measured {
    double location;
    double prior;
    double deviation;  // of the prior's error, as it claims
    double noise;      // of the location
    bool single;       // result
  };
  struct Fit {
    double slope = 1.0;
    double offset = 0.0;
    double scale = 1.0;  // of the variances that the priors claim
  };

  void note_spread(const KeyStatistics& key) noexcept;
  void note_measured(const KeyStatistics& key) noexcept;
  std::span<const Measured> measured_ones() const noexcept { return {measured_.data(), count_}; }
  Fit likeliest(double offset_deviation) const noexcept;
  double loss(const Fit& fit, double offset_deviation) const noexcept;
  double median_offset(double slope) const noexcept;
  double squares(const Fit& fit) const noexcept;
  double at(double prior, double slope, double offset) const noexcept {
    return centre_ + slope * (prior - centre_) + offset;
  }

  std::array<Measured, measured_max> measured_;
  std::size_t count_ = 0;
  double centre_ = 0.0;
  double spread_ = 0.0;
  double claimed_ = 0.0;  // mean of the deviations
  double slope_ = 1.0;
  double offset_ = 0.0;
  double factor_ = 1.0;
  double scale_ = 1.0;
};

}  // namespace adaptive::policies

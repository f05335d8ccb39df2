// What separates the latency of one launch from the variant's true one.
#pragma once

#include <cstdint>

#include <adaptive/random.hpp>

namespace adaptive::inline v1::replay {

/// The seed of the `draw`-th sequence of launches of a run with that seed: the seed itself for 0.
std::uint64_t seed_of_draw(std::uint64_t seed, std::uint64_t draw) noexcept;

/// Parameters of the multiplicative noise. The defaults are the mix on which the policies are judged:
/// lognormal, skew, a clock that wanders, outliers. How strong skew and clock are is a choice, kept so that
/// numbers of different days compare.
struct NoiseModel {
  double deviation = 0.012;        ///< of the log of one launch, normal
  double skew = 0.004;             ///< mean of an exponential part of the log: launches are late, never early
  double clock_deviation = 0.005;  ///< of the log clock, AR(1) and common to all variants
  double clock_correlation = 0.99;  ///< of the log clock from one call to the next
  double outlier_share = 0.01;
  double outlier_min = 2.0;  ///< factor of an outlier, log-uniform
  double outlier_max = 50.0;
};

/// One factor per call, the same whatever runs: all policies see the same draws.
class Noise {
 public:
  Noise(const NoiseModel& model, std::uint64_t seed) noexcept;

  double next() noexcept;

 private:
  NoiseModel model_;
  Random random_;
  double clock_ = 0.0;
  double clock_step_ = 0.0;
};

}  // namespace adaptive::replay

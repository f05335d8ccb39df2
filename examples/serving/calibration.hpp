#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "examples/serving/workload/workload.hpp"

namespace serving {

/// What each variant of a key takes, measured side by side after the run.
struct KeyLatencies {
  /// By variant, in the order in which they were taken; empty where it does not support the key.
  std::vector<std::vector<double>> samples_ns;

  /// The median of a variant; not a number where it was not measured.
  double median_ns(std::uint32_t variant) const;
  /// The least median of the key's variants. Chosen on one half of the rounds and read on the other, both
  /// ways: the least of many noisy numbers would be too good to be true.
  double best_ns() const;
  std::uint32_t best_variant() const;
};

struct Calibration {
  std::map<const KeyRun*, KeyLatencies> keys;  ///< those that hold most of the time
  double covered_share = 0;                    ///< of the run's kernel time, by those keys
  std::uint32_t rounds = 0;                    ///< complete ones
  std::uint64_t launches = 0;
  double wall_s = 0;
};

struct CalibrationLimits {
  double seconds = 15;              ///< the first two rounds are always made
  double covered_share_min = 0.99;  ///< of the kernel time
  std::uint32_t rounds_max = 40;
};

/// Measures every variant of the keys that hold the time, in a new random order each round, so that a slow
/// spell of the machine falls on all of them alike. Before each timed launch the key is launched once, then
/// what the model launches before it, both with what the run has learned: the caches are as in the run.
Calibration calibrate(const Workload& workload, const CalibrationLimits& limits, std::uint64_t seed,
                      const std::function<bool()>& interrupted, const std::function<void(double)>& progress);

}  // namespace serving

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "examples/serving/workload/workload.hpp"

namespace serving {

/// The latencies of all variants of a key, measured side by side after the run.
struct KeyLatencies {
  /// For each variant, in the order of measurement; empty if the variant does not support the key.
  std::vector<std::vector<double>> samples_ns;

  /// The median of a variant; NaN if it was not measured.
  double median_ns(std::uint32_t variant) const;
  /// The smallest median of the key's variants. The variant is chosen on one half of the rounds and its
  /// latency is read from the other half, and vice versa, because the minimum of many noisy numbers is biased
  /// downwards.
  double best_ns() const;
  std::uint32_t best_variant() const;
};

struct Calibration {
  std::map<const KeyRun*, KeyLatencies> keys;  ///< the keys that take most of the time
  double covered_share = 0;                    ///< share of these keys in the run's kernel time
  std::uint32_t rounds = 0;                    ///< number of complete rounds
  std::uint64_t launches = 0;
  double wall_s = 0;
};

struct CalibrationLimits {
  double seconds = 15;              ///< the first two rounds are always made
  double covered_share_min = 0.99;  ///< of the kernel time
  std::uint32_t rounds_max = 40;
};

/// Measures all variants of the keys that take most of the time, in a new random order each round, so that a
/// slow period of the machine affects all of them alike. Before each timed launch, the key is launched once,
/// and then the launches that precede it in the model, both with the variants that the run has learned, so
/// that the caches are in the same state as in the run.
Calibration calibrate(const Workload& workload, const CalibrationLimits& limits, std::uint64_t seed,
                      const std::function<bool()>& interrupted, const std::function<void(double)>& progress);

}  // namespace serving

#include "table/comparison.hpp"

#include <algorithm>
#include <cmath>

namespace adaptive::table {
namespace {

constexpr double confidence_deviations = 2.58;  // 99 %, two-sided
constexpr double noise_min = 0.01;
constexpr double prior_deviation = 0.03;
constexpr double prior_weight = 4.0;

// Of the mean, relative to it.
double relative_variance_of_mean(const Statistics& s) noexcept {
  const auto n = static_cast<double>(s.count);
  const double measured = s.mean_ns > 0.0 ? s.variance_ns2 / (s.mean_ns * s.mean_ns) : 0.0;
  const double shrunk =
      (prior_weight * prior_deviation * prior_deviation + (n - 1.0) * measured) / (prior_weight + n - 1.0);
  return shrunk / n;
}

}  // namespace

Comparison compare(const Statistics& before, const Statistics& after) noexcept {
  const double ratio = after.location_ns / before.location_ns;
  const double error = std::sqrt(relative_variance_of_mean(before) + relative_variance_of_mean(after));
  return {ratio - 1.0, std::max(noise_min, confidence_deviations * error)};
}

}  // namespace adaptive::table

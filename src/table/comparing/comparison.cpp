#include "table/comparing/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/statistics/student.hpp"

namespace adaptive::inline v1::table {
namespace {

constexpr double error = 0.01;  // probability of an error in any of the comparisons
constexpr double noise_min = 0.01;
constexpr double noise_max = 1000.0;
constexpr double deviation_prior = 0.03;
constexpr double prior_weight = 4.0;
// A location reflects the latest results only, so older results do not make it more precise.
constexpr std::uint64_t remembered = 1024;

// The precision of a mean of log latencies.
struct Mean {
  double results = 0.0;
  double squares = 0.0;  // sum of squared deviations from the mean
};

// Assumes that latencies are lognormal, which relates their deviation to that of their logarithms.
Mean mean_of(const Statistics& s) noexcept {
  const auto results = static_cast<double>(std::min(s.count, remembered));
  const double variance = s.mean_ns > 0.0 ? std::log1p(s.variance_ns2 / (s.mean_ns * s.mean_ns)) : 0.0;
  return {results, (results - 1.0) * variance};
}

// A few results may agree by chance, so their deviation is raised towards a typical one. This never lowers a
// deviation and adds no degree of freedom.
double variance_of(double squares, double freedom) noexcept {
  const double shrunk =
      (prior_weight * deviation_prior * deviation_prior + squares) / (prior_weight + freedom);
  return freedom > 0.0 ? std::max(shrunk, squares / freedom) : shrunk;
}

double radius(double tail, double freedom, double variance) noexcept {
  return core::student_quantile(tail, std::max(freedom, 1.0)) * std::sqrt(variance);
}

// The confidence radius with a pooled deviation.
double pooled_radius(const Mean& a, const Mean& b, double tail) noexcept {
  const double freedom = a.results + b.results - 2.0;
  return radius(tail, freedom,
                variance_of(a.squares + b.squares, freedom) * (1.0 / a.results + 1.0 / b.results));
}

// The confidence radius with a separate deviation for each record (Welch).
double separate_radius(const Mean& a, const Mean& b, double tail) noexcept {
  const double x = variance_of(a.squares, a.results - 1.0) / a.results;
  const double y = variance_of(b.squares, b.results - 1.0) / b.results;
  const double freedom =
      (x + y) * (x + y) / (x * x / std::max(a.results - 1.0, 1.0) + y * y / std::max(b.results - 1.0, 1.0));
  return radius(tail, freedom, x + y);
}

double printed(double share) noexcept {
  return std::round(1000.0 * share);
}

}  // namespace

bool Comparison::is_regression(double tolerance) const noexcept {
  return slower() && change > tolerance && printed(change) > printed(noise);
}

Comparison compare(const Statistics& before, const Statistics& after, std::size_t comparisons) noexcept {
  const Mean a = mean_of(before), b = mean_of(after);
  const double tail = error / 2.0 / static_cast<double>(std::max<std::size_t>(comparisons, 1));
  const double most = std::max(pooled_radius(a, b, tail), separate_radius(a, b, tail));
  return {after.location_ns / before.location_ns - 1.0, std::clamp(std::expm1(most), noise_min, noise_max)};
}

}  // namespace adaptive::table

#include "learning/model/key_expectations.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "learning/model/operation_model.hpp"
#include "prior/seed.hpp"

namespace adaptive::inline v1::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Standard deviation of log latency assumed for a latency in a table of this device, until results contradict
// it.
constexpr double table_error = 0.002;
// Largest such deviation at which the table still counts as proof.
constexpr double proof_error_max = 0.01;
// Number of deviations that are compared, each twice the one before, and the prior cost of each step in log
// likelihood.
constexpr int error_steps = 11;
constexpr double error_step_cost = 0.7;
// Cost in log likelihood of assuming that a result is an outlier: one result in a hundred is, with a log
// latency anywhere within a factor of twenty.
constexpr double outlier_cost = 5.7;
// Maximum number of results from which the size of the errors is estimated.
constexpr std::size_t compared_results_max = 24;
constexpr double level_max = 1.0;  // `Expectations::level_deviation` from which the level counts as unknown
// Standard deviation of log latency assumed for a candidate of which nothing is known.
constexpr double deviation_unknown = 0.14;

double log_likelihood_of(const Expectations& expected, std::span<const OwnResult> own) {
  const Index n = static_cast<Index>(std::min(own.size(), compared_results_max));
  const std::size_t k = expected.location.size();
  const double level = std::min(expected.level_deviation, level_max);
  MatrixXd covariance(n, n);
  VectorXd residual(n);
  for (Index a = 0; a < n; ++a) {
    const OwnResult& one = own[static_cast<std::size_t>(a)];
    residual(a) = one.location - double{expected.location[one.candidate]};
    for (Index b = 0; b < n; ++b) {
      const std::size_t other = own[static_cast<std::size_t>(b)].candidate;
      const double shared = expected.correlated() ? double{expected.covariance[one.candidate * k + other]}
                            : a == b              ? double{expected.covariance[other]}
                                                  : 0.0;
      covariance(a, b) = shared + level * level + (a == b ? one.variance : 0.0);
    }
  }
  const Eigen::LLT<MatrixXd> factor(covariance);
  const VectorXd half = factor.matrixL().solve(residual);
  return -0.5 * half.squaredNorm() - factor.matrixLLT().diagonal().array().log().sum();
}

// The log likelihood of the results. The latest of the single results may be an outlier: it is then left out,
// at the cost `outlier_cost`, and only the other results judge the table.
double log_likelihood(const Expectations& expected, std::span<const OwnResult> own) {
  const double all = log_likelihood_of(expected, own);
  const OwnResult* latest = nullptr;
  double most = 0.0;
  for (const OwnResult& one : own) {
    const double late = one.location - double{expected.location[one.candidate]};
    if (!one.is_single || (latest != nullptr && late <= most)) continue;
    latest = &one;
    most = late;
  }
  if (latest == nullptr || own.size() < 2) return all;
  std::vector<OwnResult> others;
  for (const OwnResult& one : own)
    if (&one != latest) others.push_back(one);
  return std::max(all, log_likelihood_of(expected, others) - outlier_cost);
}

}  // namespace

std::vector<OwnResult> own_results(const KeyStatistics& key) {
  std::vector<OwnResult> own;
  const double variance = key.deviation() * key.deviation();
  for (std::size_t i = 0; i < key.size(); ++i)
    if (key[i].count > 0)
      own.push_back(
          {i, key[i].own_location(), variance / static_cast<double>(key[i].count), key[i].count == 1});
  return own;
}

Expectations with_priors(Expectations by_model, const StartingPoint& start, std::span<const OwnResult> own) {
  const std::size_t k = by_model.location.size();
  if (start.prior.size() != k || start.match.kind == MatchKind::predicted) return by_model;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < k; ++i)
    if (start.prior[i] == start.prior[i]) least = std::min(least, start.prior_deviation[i]);
  if (!std::isfinite(least)) return by_model;
  const double base = start.trusted ? trusted_deviation : least;
  const double first = start.trusted ? table_error : least;
  std::vector<double> variance(k, 0.0);
  Expectations best;
  double best_score = -std::numeric_limits<double>::infinity();
  double best_error = first;
  const int steps = own.empty() ? 1 : error_steps;
  for (int s = 0; s < steps; ++s) {
    const double error = first * std::exp2(s);
    for (std::size_t i = 0; i < k; ++i)
      variance[i] =
          std::max(0.0, start.prior_deviation[i] * start.prior_deviation[i] - base * base) + error * error;
    Expectations expected = by_model;
    condition(expected, start.prior, variance, start.prior_offset_deviation, {});
    const double score = own.empty() ? 0.0 : log_likelihood(expected, own) - error_step_cost * s;
    if (score <= best_score) continue;
    best_score = score;
    best_error = error;
    best = std::move(expected);
  }
  if (start.trusted && best_error <= proof_error_max) {
    best.told.resize(k);
    for (std::size_t i = 0; i < k; ++i)
      best.told[i] = static_cast<std::uint32_t>(std::min<std::uint64_t>(start.prior_count[i], 1024));
  }
  return best;
}

Expectations with_another(const Expectations& expectations) {
  Expectations result = expectations;
  const std::size_t k = expectations.location.size();
  double mean = 0.0;
  for (const float x : expectations.location) mean += double{x} / static_cast<double>(k);
  result.location.push_back(static_cast<float>(mean));
  if (!result.told.empty()) result.told.push_back(0);
  const auto variance = static_cast<float>(deviation_unknown * deviation_unknown);
  if (expectations.correlated() && k + 1 <= Expectations::correlated_max) {
    result.covariance.assign((k + 1) * (k + 1), 0.0F);
    for (std::size_t a = 0; a < k; ++a)
      for (std::size_t b = 0; b < k; ++b)
        result.covariance[a * (k + 1) + b] = expectations.covariance[a * k + b];
    result.covariance.back() = variance;
    return result;
  }
  result.covariance.clear();
  for (std::size_t a = 0; a < k; ++a)
    result.covariance.push_back(expectations.correlated() ? expectations.covariance[a * k + a]
                                                          : expectations.covariance[a]);
  result.covariance.push_back(variance);
  return result;
}

}  // namespace adaptive::core

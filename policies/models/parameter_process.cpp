#include "policies/models/parameter_process.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/models/matern.hpp"

namespace adaptive::inline v1::policies {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double share_min = 0.01;
constexpr double variance_min = 1e-6;

}  // namespace

std::vector<ProcessHypothesis> ParameterProcess::hypotheses() {
  std::vector<ProcessHypothesis> all;
  for (std::size_t length = 0; length < lengths.size(); ++length)
    for (const double nugget : nuggets)
      for (const double scale : scales) all.push_back({length, nugget, scale});
  return all;
}

ParameterProcess::ParameterProcess(const ParameterResults& key, std::span<const std::size_t> known,
                                   std::span<const std::size_t> unknown) {
  const auto n = static_cast<Index>(known.size());
  results_.resize(n);
  noise_.resize(n);
  distances_.resize(n, n);
  distances_to_unknown_.resize(n, static_cast<Index>(unknown.size()));
  const auto distance = [&](std::size_t a, std::size_t b) {
    return std::sqrt(key.parameters->distance_squared(a, b));
  };
  for (Index i = 0; i < n; ++i) {
    const std::size_t candidate = known[static_cast<std::size_t>(i)];
    results_[i] = key.candidates[candidate].location;
    noise_[i] = key.deviation * key.deviation / static_cast<double>(key.candidates[candidate].count);
    for (Index j = 0; j <= i; ++j)
      distances_(i, j) = distances_(j, i) = distance(candidate, known[static_cast<std::size_t>(j)]);
    for (Index j = 0; j < distances_to_unknown_.cols(); ++j)
      distances_to_unknown_(i, j) = distance(candidate, unknown[static_cast<std::size_t>(j)]);
  }
}

const ParameterProcess::Likeness& ParameterProcess::likeness(std::size_t length) {
  Likeness& found = likenesses_[length];
  if (found.known.size() == 0) {
    const auto alike = [&](double d) { return matern(d / lengths[length]); };
    found.known = distances_.unaryExpr(alike);
    found.unknown = distances_to_unknown_.unaryExpr(alike);
  }
  return found;
}

double ParameterProcess::assume(const ProcessHypothesis& h) {
  const double variance = h.scale * h.scale;
  MatrixXd k = variance * likeness(h.length).known;
  k.diagonal() += noise_;
  k.diagonal().array() += variance * h.nugget;
  covariance_.compute(k);
  of_level_ = covariance_.solve(VectorXd::Ones(results_.size()));
  const double precision = of_level_.sum();
  level_ = of_level_.dot(results_) / precision;
  const VectorXd residual = results_.array() - level_;
  weights_ = covariance_.solve(residual);
  const double log_determinant = 2.0 * covariance_.matrixLLT().diagonal().array().log().sum();
  return -0.5 * (weights_.dot(residual) + log_determinant + std::log(precision));
}

void ParameterProcess::weigh(std::vector<ProcessHypothesis>& hypotheses) {
  double most = -std::numeric_limits<double>::infinity();
  for (ProcessHypothesis& h : hypotheses) {
    h.share = assume(h);
    most = std::max(most, h.share);
  }
  const double least = std::log(share_min);
  std::erase_if(hypotheses, [&](const ProcessHypothesis& h) { return !(h.share - most >= least); });
  double sum = 0.0;
  for (ProcessHypothesis& h : hypotheses) sum += h.share = std::exp(h.share - most);
  for (ProcessHypothesis& h : hypotheses) h.share /= sum;
}

ParameterProcess::Expected ParameterProcess::expect(std::span<const ProcessHypothesis> hypotheses) {
  const Index count = distances_to_unknown_.cols();
  Expected result{VectorXd::Zero(count), VectorXd::Zero(count)};
  for (const ProcessHypothesis& h : hypotheses) {
    assume(h);
    const double explained = h.scale * h.scale;
    MatrixXd k = explained * likeness(h.length).unknown;
    const ArrayXd mean = (k.transpose() * weights_).array() + level_;
    const ArrayXd of_level = (1.0 - (k.transpose() * of_level_).array()).square() / of_level_.sum();
    covariance_.matrixL().solveInPlace(k);
    const ArrayXd variance =
        explained * (1.0 + h.nugget) - k.colwise().squaredNorm().transpose().array() + of_level;
    result.mean.array() += h.share * mean;
    result.variance.array() += h.share * (variance + mean.square());
    result.unexplained += h.share * h.nugget / (1.0 + h.nugget);
  }
  result.variance = (result.variance.array() - result.mean.array().square()).max(variance_min);
  return result;
}

ParameterProcess::Errors ParameterProcess::leave_one_out(std::span<const ProcessHypothesis> hypotheses) {
  assume(*std::max_element(
      hypotheses.begin(), hypotheses.end(),
      [](const ProcessHypothesis& a, const ProcessHypothesis& b) { return a.share < b.share; }));
  const Index n = results_.size();
  const MatrixXd inverse = covariance_.solve(MatrixXd::Identity(n, n));
  // The level is estimated along.
  const ArrayXd precision = inverse.diagonal().array() - of_level_.array().square() / of_level_.sum();
  Errors errors;
  errors.variance = precision.max(variance_min).inverse();
  errors.above = weights_.array() * errors.variance.array();
  return errors;
}

}  // namespace adaptive::policies

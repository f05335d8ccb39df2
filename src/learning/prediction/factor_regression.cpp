#include "learning/prediction/factor_regression.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

#include "policies/models/matern.hpp"

namespace adaptive::inline v1::policies {
namespace {

constexpr std::array<double, 4> lengths{2.0, 4.0, 8.0, 16.0};  // doublings
constexpr std::array<double, 3> nuggets{0.001, 0.02, 0.2};     // of the scale
// The scale that the keys ask for begins with this weight, in keys, at what the prior says.
constexpr double scale_weight = 2.0;

}  // namespace

double FactorRegression::covariance(const Features& a, const Features& b) const noexcept {
  const double near = matern((a - b).norm() / length_);
  const double linear = prior_.slope * prior_.slope * (a - origin_).dot(b - origin_);
  return scale_ * (near + linear + 1.0);
}

Eigen::MatrixXd FactorRegression::covariances(std::span<const Features> keys,
                                              std::span<const Target> targets) const {
  const auto m = static_cast<Eigen::Index>(keys.size());
  Eigen::MatrixXd k(m, m);
  for (Eigen::Index i = 0; i < m; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j)
      k(i, j) = k(j, i) = covariance(keys[static_cast<std::size_t>(i)], keys[static_cast<std::size_t>(j)]);
    k(i, i) += scale_ * nugget_ + targets[static_cast<std::size_t>(i)].variance;
  }
  return k;
}

void FactorRegression::fit(std::span<const Features> keys, std::span<const Target> targets,
                           const Prior& prior) {
  prior_ = prior;
  scale_ = 1.0;
  if (keys.empty()) return;
  origin_ = Features::Zero(keys.front().size());
  for (const Features& key : keys) origin_ += key / static_cast<double>(keys.size());
  const auto m = static_cast<Eigen::Index>(keys.size());
  Eigen::VectorXd y(m);
  for (Eigen::Index i = 0; i < m; ++i) y[i] = targets[static_cast<std::size_t>(i)].value;
  centre_ = y.mean();
  y.array() -= centre_;

  double least = std::numeric_limits<double>::infinity();
  double best_length = length_;
  double best_nugget = nugget_;
  double best_scale = 1.0;
  for (const double length : lengths)
    for (const double nugget : nuggets) {
      length_ = length;
      nugget_ = nugget;
      const Eigen::MatrixXd inverse = covariances(keys, targets).llt().solve(Eigen::MatrixXd::Identity(m, m));
      // Each key left out in turn: its error is [K⁻¹y]ᵢ / [K⁻¹]ᵢᵢ, the variance expected 1 / [K⁻¹]ᵢᵢ.
      const Eigen::ArrayXd precision = inverse.diagonal().array();
      const Eigen::ArrayXd surprise = (inverse * y).array().square() / precision;
      const double scale = (scale_weight + surprise.sum()) / (scale_weight + static_cast<double>(m));
      const double loss =
          static_cast<double>(m) * std::log(scale) - precision.log().sum() + (surprise / scale).sum();
      if (loss < least) {
        least = loss;
        best_length = length;
        best_nugget = nugget;
        best_scale = scale;
      }
    }
  length_ = best_length;
  nugget_ = best_nugget;
  scale_ = best_scale;
}

std::vector<Estimated> FactorRegression::leave_one_out(std::span<const Features> keys,
                                                       std::span<const Target> targets) const {
  const auto m = static_cast<Eigen::Index>(keys.size());
  Eigen::VectorXd y(m);
  for (Eigen::Index i = 0; i < m; ++i) y[i] = targets[static_cast<std::size_t>(i)].value - centre_;
  const Eigen::MatrixXd inverse = covariances(keys, targets).llt().solve(Eigen::MatrixXd::Identity(m, m));
  const Eigen::VectorXd weights = inverse * y;
  std::vector<Estimated> result;
  for (Eigen::Index i = 0; i < m; ++i)
    result.push_back({centre_ + y[i] - weights[i] / inverse(i, i), 1.0 / inverse(i, i)});
  return result;
}

Estimated FactorRegression::predict(const Features& at, std::span<const Features> keys,
                                    std::span<const Target> targets) const {
  const double own = covariance(at, at) + scale_ * nugget_;
  if (keys.empty()) return {centre_, own};
  const auto m = static_cast<Eigen::Index>(keys.size());
  Eigen::VectorXd k(m);
  Eigen::VectorXd y(m);
  for (Eigen::Index i = 0; i < m; ++i) {
    k[i] = covariance(at, keys[static_cast<std::size_t>(i)]);
    y[i] = targets[static_cast<std::size_t>(i)].value - centre_;
  }
  const Eigen::LLT<Eigen::MatrixXd> factored = covariances(keys, targets).llt();
  const Eigen::VectorXd weights = factored.solve(k);
  return {centre_ + weights.dot(y), std::max(own - weights.dot(k), 1e-9)};
}

}  // namespace adaptive::policies

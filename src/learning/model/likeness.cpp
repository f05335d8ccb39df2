#include "learning/model/likeness.hpp"

#include <array>
#include <cmath>

namespace adaptive::inline v1::core {
namespace {

// The grid: correlation lengths in the units of `ParameterSpace`, shares of the variance that parameters do
// not explain, and standard deviations of log latency.
constexpr std::array<double, 3> lengths = {1.5, 3.0, 6.0};
constexpr std::array<double, 3> own_shares = {0.03, 0.2, 1.0};
constexpr double deviation_first = 0.0125;
constexpr int deviation_steps = 7;  // 0.0125 to 0.8
// Standard deviation of the prior for the deviation, in factors of two around the usual one.
constexpr double usual_octaves = 1.2;

}  // namespace

Likeness::Likeness(const ParameterSpace& space, std::size_t variants, double usual)
    : space_(space), shared_(lengths.size(), 0.0) {
  const bool comparable = !space.empty() && variants > 1;
  for (int s = 0; s < deviation_steps; ++s)
    for (std::size_t l = 0; l < lengths.size(); ++l)
      for (const double own : own_shares) {
        // The length does not matter if there are no parameters, or if they explain nothing.
        if ((!comparable && own != 1.0) || (own == 1.0 && l > 0)) continue;
        grid_.push_back({deviation_first * std::exp2(s), l, own});
      }
  prior_ = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(grid_.size()));
  for (std::size_t c = 0; c < grid_.size(); ++c) {
    const double octaves = std::log2(grid_[c].deviation / usual) / usual_octaves;
    prior_(static_cast<Eigen::Index>(c)) =
        (grid_[c].own == 1.0 ? std::log(2.0) : 0.0) - 0.5 * octaves * octaves;
  }
  weigh(Eigen::VectorXd::Zero(prior_.size()), 1.0);
}

double Likeness::correlation(std::size_t length, std::size_t a, std::size_t b) const noexcept {
  if (space_.empty()) return 0.0;
  const double x = std::sqrt(5.0 * space_.distance_squared(a, b)) / lengths[length];
  return (1.0 + x + x * x / 3.0) * std::exp(-x);
}

double Likeness::log_likelihood(std::size_t combination, std::span<const std::size_t> variants,
                                const Eigen::VectorXd& residual, const Eigen::MatrixXd& base) const {
  const Combination& g = grid_[combination];
  const double variance = g.deviation * g.deviation;
  const double common = variance * (1.0 - g.own);
  Eigen::MatrixXd total = base;
  for (Eigen::Index a = 0; a < total.rows(); ++a) {
    total(a, a) += variance;
    if (common == 0.0) continue;
    for (Eigen::Index b = 0; b < a; ++b) {
      const double shared = common * correlation(g.length, variants[static_cast<std::size_t>(a)],
                                                 variants[static_cast<std::size_t>(b)]);
      total(a, b) += shared;
      total(b, a) += shared;
    }
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(total);
  const Eigen::VectorXd half = factor.matrixL().solve(residual);
  return -0.5 * half.squaredNorm() - factor.matrixLLT().diagonal().array().log().sum();
}

void Likeness::weigh(const Eigen::VectorXd& log_likelihoods, double prior) {
  const Eigen::VectorXd log_weights = log_likelihoods + prior * prior_;
  Eigen::VectorXd weights = (log_weights.array() - log_weights.maxCoeff()).exp();
  weights /= weights.sum();
  variance_ = 0.0;
  shared_.assign(lengths.size(), 0.0);
  for (std::size_t c = 0; c < grid_.size(); ++c) {
    const double variance = weights(static_cast<Eigen::Index>(c)) * grid_[c].deviation * grid_[c].deviation;
    variance_ += variance;
    shared_[grid_[c].length] += variance * (1.0 - grid_[c].own);
  }
}

double Likeness::covariance(std::size_t a, std::size_t b) const noexcept {
  if (a == b) return variance_;
  double sum = 0.0;
  for (std::size_t l = 0; l < shared_.size(); ++l)
    if (shared_[l] > 0.0) sum += shared_[l] * correlation(l, a, b);
  return sum;
}

}  // namespace adaptive::core

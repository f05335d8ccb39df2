// How similar the variants of an operation are expected to be, by their parameters.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <span>
#include <vector>
#include "learning/model/parameter_space.hpp"

namespace adaptive::inline v1::core {

/// The covariance of the residuals that a model leaves unexplained in the log latencies of the variants at a
/// key. It is the average over a grid of standard deviations, correlation lengths (Matérn 5/2) and shares of
/// the variance that parameters do not explain. Each combination is weighted by how well it explains the
/// residuals of the keys (Bayesian model averaging).
class Likeness {
 public:
  /// `usual`: the standard deviation of log latency that is expected before anything is known.
  Likeness(const ParameterSpace& space, std::size_t variants, double usual);

  std::size_t combinations() const noexcept { return grid_.size(); }
  /// Log likelihood, under one combination, of the residuals of a key's measured variants. `base`: the part
  /// of their covariance that comes from other errors.
  double log_likelihood(std::size_t combination, std::span<const std::size_t> variants,
                        const Eigen::VectorXd& residual, const Eigen::MatrixXd& base) const;
  /// Sets the weights from log likelihoods, one for each combination. `prior`, from 0 to 1: the weight of the
  /// prior for the deviation.
  void weigh(const Eigen::VectorXd& log_likelihoods, double prior);

  /// The averaged covariance of two variants.
  double covariance(std::size_t a, std::size_t b) const noexcept;
  /// The averaged variance of a variant.
  double variance() const noexcept { return variance_; }

 private:
  struct Combination {
    double deviation;
    std::size_t length;
    double own;  // share of the variance that parameters do not explain
  };
  double correlation(std::size_t length, std::size_t a, std::size_t b) const noexcept;

  ParameterSpace space_;
  std::vector<Combination> grid_;
  Eigen::VectorXd prior_;
  std::vector<double> shared_;  // averaged variance that is shared, by length
  double variance_ = 0.0;
};

}  // namespace adaptive::core

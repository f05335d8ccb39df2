// Constants and functions that the source files of the model over all keys share.
#pragma once

#include <Eigen/Dense>
#include <cstddef>

namespace adaptive::inline v1::core {

inline Eigen::Index to_index(std::size_t i) noexcept {
  return static_cast<Eigen::Index>(i);
}

/// Minimum number of keys, including the predicted one, for one key to be predicted from the others.
constexpr std::size_t keys_to_learn_from = 2;

/// Removes from a prediction what other keys contribute: without other keys, only the residuals of the
/// variants are expected.
inline void forget_others(Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) {
  mean.setZero();
  covariance.setZero();
}

/// The variance of log latency assumed for an unknown level.
constexpr double level_variance = 100.0;

}  // namespace adaptive::core

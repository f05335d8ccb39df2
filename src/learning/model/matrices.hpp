// What the parts of the model over all keys share about its matrices.
#pragma once

#include <Eigen/Dense>
#include <cstddef>

namespace adaptive::inline v1::core {

inline Eigen::Index to_index(std::size_t i) noexcept {
  return static_cast<Eigen::Index>(i);
}

/// Fewer keys than this say nothing of one of them.
constexpr std::size_t keys_to_learn_from = 2;

/// Where there are no other keys, nothing is expected but what variants differ by.
inline void forget_others(Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) {
  mean.setZero();
  covariance.setZero();
}

/// The variance of a level of which nothing is known.
constexpr double level_variance = 100.0;

}  // namespace adaptive::core

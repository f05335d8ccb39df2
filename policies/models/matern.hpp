#pragma once

#include <cmath>

namespace adaptive::inline v1::policies {

/// The covariance of what is alike at near places, by their distance in lengths: twice differentiable
/// (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, eq. 4.17 with ν = 5/2).
inline double matern(double distance) noexcept {
  const double r = std::sqrt(5.0) * distance;
  return (1.0 + r + r * r / 3.0) * std::exp(-r);
}

}  // namespace adaptive::policies

// One number of a key, learned from other keys.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace adaptive::inline v1::policies {

/// A key as a regression sees it: log2 of its sizes, its linear values, each times its dimension's weight.
using Features = Eigen::VectorXd;

/// What keys have said of a number, each with the variance of its error.
struct Target {
  double value = 0.0;
  double variance = 0.0;
};

struct Estimated {
  double mean = 0.0;
  double variance = 0.0;  ///< of the number itself, not of its mean
};

/// Bayesian regression of a number on the features of keys: linear in them, and what is not linear is alike
/// at keys that are near each other (a Gaussian process; Rasmussen and Williams, "Gaussian Processes for
/// Machine Learning", 2006: Matérn 5/2, chapter 4; the linear part, 2.7; leave-one-out, 5.4.2).
///
///     k(x, x') = c · (m(|x − x'| / s) + s_lin² · (x − o) · (x' − o) + 1) + nugget where x = x'
///
/// The length s and the nugget, what no feature explains, are those of a few that leave the least surprise
/// when each key is predicted from the others; c makes that surprise as large as it should be, so that the
/// uncertainty is what predictions of unseen keys have really missed by.
class FactorRegression {
 public:
  struct Prior {
    double slope = 0.15;  ///< deviation of the change over one doubling of a size that is linear for ever
  };

  /// Learns length, nugget and scale from keys. Time: the cube of their number, some ten times.
  void fit(std::span<const Features> keys, std::span<const Target> targets, const Prior& prior);

  /// Each of the keys from all others.
  std::vector<Estimated> leave_one_out(std::span<const Features> keys, std::span<const Target> targets) const;

  /// At `at`, from the keys given, which need not be those of the fit: a few nearest ones are enough.
  Estimated predict(const Features& at, std::span<const Features> keys,
                    std::span<const Target> targets) const;

 private:
  double covariance(const Features& a, const Features& b) const noexcept;
  Eigen::MatrixXd covariances(std::span<const Features> keys, std::span<const Target> targets) const;

  Prior prior_;
  double length_ = 8.0;
  double nugget_ = 0.02;
  double scale_ = 1.0;
  double centre_ = 0.0;
  Features origin_;
};

}  // namespace adaptive::policies

// How the latencies of an operation's variants move together from key to key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include <Eigen/Core>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::policies {

/// One variant's log latency at one key.
struct Observed {
  std::uint32_t variant = 0;
  double log_latency = 0.0;
  double variance = 0.0;  ///< of its error
};

/// log latency of variant v at key x = level(x) + mean_v + loadings_v · z(x) + an error of deviation_v
///
/// with a few hidden factors z that say what kind of key x is: whether its tiles are filled, whether it waits
/// for memory. Of 24 tiles of a grouped GEMM one factor explains 97 % of what distinguishes the keys and
/// three 99 %, so a few measured variants say nearly all about the others. Probabilistic principal components
/// with missing values, by expectation maximisation (Tipping and Bishop, "Probabilistic principal component
/// analysis", Journal of the Royal Statistical Society B 61, 1999): keys need not have measured the same
/// variants.
class FactorModel {
 public:
  static constexpr int factors = static_cast<int>(VariantStatistics::prior_factors);
  /// The level comes first, then the factors.
  using Scores = Eigen::Matrix<double, factors + 1, 1>;
  using Loadings = Eigen::Matrix<double, factors, 1>;

  struct Row {
    double mean = 0.0;
    Loadings loadings = Loadings::Zero();
    double variance = 0.0;
    std::uint64_t keys = 0;  ///< that have measured it
  };

  /// A key's scores as its own latencies give them, and the variances of their errors.
  struct Estimate {
    Scores mean = Scores::Zero();
    Scores variance = Scores::Zero();
  };

  /// `keys`: what each of them has measured. Time: keys × variants a key × a small constant.
  void fit(std::span<const std::vector<Observed>> keys);

  Estimate estimate(const std::vector<Observed>& key) const;
  /// Null for a variant that fewer than two keys have measured.
  const Row* row(std::uint32_t variant) const noexcept;

 private:
  void begin(std::span<const std::vector<Observed>> keys);
  void improve_rows(std::span<const std::vector<Observed>> keys);
  void improve_scores(std::span<const std::vector<Observed>> keys);

  struct Posterior {
    Scores mean = Scores::Zero();
    Eigen::Matrix<double, factors + 1, factors + 1> covariance =
        Eigen::Matrix<double, factors + 1, factors + 1>::Zero();
  };
  Posterior posterior(const std::vector<Observed>& key, const Scores& precision) const;

  std::unordered_map<std::uint32_t, std::uint32_t> index_;  // of the variant's row
  std::vector<Row> rows_;
  std::vector<Posterior> scores_;  // of the keys, while fitting
};

}  // namespace adaptive::policies

// The model over all keys of an operation: predicts the latencies of one key from the results of others.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/expectations.hpp>
#include <adaptive/key.hpp>
#include <adaptive/statistics.hpp>
#include "learning/model/features.hpp"
#include "learning/model/folded_weights.hpp"
#include "learning/model/likeness.hpp"
#include "learning/model/matrices.hpp"

namespace adaptive::inline v1::core {

/// The measured latency of one variant at one key.
struct Measured {
  std::uint32_t variant = 0;  ///< of the operation
  double location = 0.0;      ///< log latency
  double variance = 0.0;      ///< of the error of `location`
  float log_cost = 0.0F;      ///< log of the program's estimate, if it gives estimates; NaN: unknown
};

/// A key whose results the model learns from.
struct MeasuredKey {
  Key key;
  std::vector<Measured> results;
  bool by_this_process = true;  ///< false: the results are known only from a table
};

/// What a fit needs to know of an operation besides its results.
struct ModelShape {
  std::span<const Dimension> dimensions;
  ParameterSpace space;      ///< of all variants
  std::vector<Tiles> tiles;  ///< of all variants
  double multiprocessors = 1.0;
  double nearest_limit =
      1.0;                 ///< distance up to which a neighbour would be the starting point without the model
  bool estimated = false;  ///< whether the program estimates costs
  bool predicts = true;    ///< whether keys may learn from each other
  std::uint64_t seed = 0;  ///< of the draw that decides new keys
};

/// Bayesian linear regression of log latency on the features of key and variant. In addition, each key has an
/// unknown level of its own, and each variant at a key has a residual (`Likeness`). The size of the errors
/// follows from the keys themselves: the results of each key are compared with the prediction from all other
/// keys (leaving one key out, in closed form).
///
/// Immutable once it is fitted, so that any thread may use it. The time of a fit grows with the cube of the
/// number of features: some 10 ms for 24 variants, on the worker thread.
class OperationModel {
 public:
  /// The model before any result.
  explicit OperationModel(const ModelShape& shape);
  /// Fits to `keys`, without repetitions. The fit assumes errors of the size that `before` has found.
  OperationModel(const ModelShape& shape, std::vector<MeasuredKey> keys, const NoiseLaw& noise,
                 const OperationModel& before);

  /// Expectations for the candidates of a key, from the results of all other keys: the contribution of the
  /// key itself is removed, because `KeyStatistics` counts the key's own results. `log_costs`: natural
  /// logarithms of the program's estimates for the candidates; empty without estimates. The same holds for
  /// the functions below.
  Expectations expectations(const Key& key, std::span<const std::uint32_t> candidates,
                            std::span<const float> log_costs = {}) const;

  /// Expectations for candidates at a key if nothing is known: only the covariance of the residuals.
  Expectations usual_expectations(std::span<const std::uint32_t> candidates) const;

  /// Index of the candidate to launch first at a key without results: the fastest by a random draw of the
  /// coefficients, which serves all keys until the next fit (Thompson sampling).
  std::size_t decide(const Key& key, std::span<const std::uint32_t> candidates,
                     std::span<const float> log_costs = {}) const noexcept {
    return least(draw_, key, candidates, log_costs);
  }

  /// Whether the model may decide what `key` launches first. It may if it has learned from two keys or more.
  /// If it has learned from a single key, that key must have the same labels, and either this process has
  /// measured it or it is within the limit for neighbours.
  bool speaks_of(const Key& key) const noexcept;
  /// Whether the model has proved itself when each key was predicted from the others: the variant that it
  /// expected to be the fastest was nearly as fast as the fastest measured one, or lost at most half of what
  /// the choice of the nearest key loses (or the average variant, if no key is near).
  bool proven() const noexcept { return proven_; }
  /// Index of the candidate that is expected to be the fastest.
  std::size_t fastest(const Key& key, std::span<const std::uint32_t> candidates,
                      std::span<const float> log_costs = {}) const noexcept {
    return least(mean_, key, candidates, log_costs);
  }

  /// The expected log latencies of the candidates, NaN for those that the model does not know. Much cheaper
  /// than `expectations`.
  std::vector<double> expected(const Key& key, std::span<const std::uint32_t> candidates,
                               std::span<const float> log_costs = {}) const;

  /// Prepares a key for the two sets of coefficients below: the expected ones, and the draw behind `decide`.
  ModelFeatures::Point point(const Key& key) const noexcept { return features_.point(key); }
  const FoldedWeights& mean() const noexcept { return mean_; }
  const FoldedWeights& draw() const noexcept { return draw_; }

  /// Number of keys that the model has learned from.
  std::size_t keys() const noexcept { return keys_.size(); }
  /// Standard deviation of the model's error in log latency at a variant of a key, without the error of the
  /// key's level.
  double own_error() const noexcept { return own_error_; }
  /// Standard deviation of the model's error in the level of a key.
  double level_error() const noexcept { return level_error_; }
  /// Standard deviation of the error of a prediction for a variant on this device: the model's own error and
  /// that of the results behind it, which may be from another device.
  double prediction_error() const noexcept;
  const NoiseLaw& noise() const noexcept { return noise_; }

 private:
  void fit();
  void judge();
  /// Loss, as log latency above the fastest of `results`, of the variant that is the fastest at the nearest
  /// other key. The mean loss of all measured variants if no key is near. `results` are those of `key`.
  double lost_by_nearest(const MeasuredKey& key, std::span<const Measured> results) const;
  bool knows(std::uint32_t variant) const noexcept { return variant < features_.variants(); }
  // If the program estimates costs, the model explains latencies relative to the estimates: it cannot use a
  // result without one.
  bool learns_from(const Measured& m) const noexcept {
    return knows(m.variant) && (features_.estimated() == 0 || m.log_cost == m.log_cost);
  }
  /// Means and covariance of some variants at a key, from the regression alone.
  void predict(const ModelFeatures::Point& point, std::span<const std::uint32_t> variants,
               Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) const;
  /// Removes the contribution of the key's own `results` from a prediction. `at`: the index of each result's
  /// variant among the predicted ones.
  void take_out(std::span<const Measured> results, std::span<const std::size_t> at, Eigen::VectorXd& mean,
                Eigen::MatrixXd& covariance) const;
  std::size_t least(const FoldedWeights& by, const Key& key, std::span<const std::uint32_t> candidates,
                    std::span<const float> log_costs) const noexcept;
  /// Writes the scores of the first `scores.size()` variants, and returns the part of log latency that all
  /// variants have in common.
  double score(const FoldedWeights& by, const Key& key, std::span<const std::uint32_t> candidates,
               std::span<const float> log_costs, std::span<double> scores) const noexcept;

  bool predicts_;
  std::vector<Dimension> dimensions_;
  double nearest_limit_;
  ModelFeatures features_;
  Likeness likeness_;
  NoiseLaw noise_;
  Eigen::VectorXd precision_;
  Eigen::VectorXd weights_;
  FoldedWeights mean_;  // `weights_`, the posterior mean
  FoldedWeights draw_;  // a draw from the posterior
  Eigen::LLT<Eigen::MatrixXd> factor_;
  std::vector<MeasuredKey> keys_;  // sorted by key
  double own_error_;
  double level_error_;
  // The errors that the fit assumed. `take_out` needs them to remove results again.
  double own_error_of_fit_ = 0.0;
  double level_error_of_fit_ = 0.0;
  double checked_ = 0.0;  // number of results that have been compared with predictions
  bool proven_ = false;
  bool learned_elsewhere_ = false;  // most keys are known only from tables
};

/// Conditions expectations on the log latencies that a table has for the key's candidates; NaN: none.
/// `variance`: of the error of each. `level_deviation`: standard deviation of the error that all of them have
/// in common. `told`: the number of results behind each if the table is of this device and software;
/// otherwise empty.
void condition(Expectations& expectations, std::span<const double> location, std::span<const double> variance,
               double level_deviation, std::vector<std::uint32_t> told);

}  // namespace adaptive::core

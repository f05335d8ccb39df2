// The model over all keys of an operation: what the results of some keys say of any other.
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

/// What is known of one variant at one key.
struct Measured {
  std::uint32_t variant = 0;  ///< of the operation
  double location = 0.0;      ///< log latency
  double variance = 0.0;      ///< of the error of `location`
  float log_cost = 0.0F;      ///< of the program's estimate, if there is one; NaN: unknown
};

/// A key whose results the model learns from.
struct MeasuredKey {
  Key key;
  std::vector<Measured> results;
  bool by_this_process = true;  ///< else only a table has them
};

/// Of one operation, when a fit begins.
struct ModelShape {
  std::span<const Dimension> dimensions;
  ParameterSpace space;      ///< of all variants
  std::vector<Tiles> tiles;  ///< of all variants
  double multiprocessors = 1.0;
  double nearest_limit = 1.0;  ///< up to which distance a near key would decide without the model
  bool estimated = false;      ///< whether the program estimates costs
  bool predicts = true;        ///< whether keys may learn from each other
  std::uint64_t seed = 0;      ///< of the draw that decides new keys
};

/// Bayesian linear regression of log latency on the features of key and variant. Each key has an unknown
/// level of its own besides, and each variant at a key a residual (`Likeness`). How wrong the model is
/// follows from the keys themselves: each is compared with what the others let expect of it (leave one key
/// out, in closed form).
///
/// Immutable once it is fitted, so that any thread may use it. A fit takes time with the cube of the number
/// of features: some 10 ms for 24 variants, on the worker thread.
class OperationModel {
 public:
  /// Before any result.
  explicit OperationModel(const ModelShape& shape);
  /// Fits to `keys`, of which each occurs once; the size of the errors is at first taken from `before`.
  OperationModel(const ModelShape& shape, std::vector<MeasuredKey> keys, const NoiseLaw& noise,
                 const OperationModel& before);

  /// What is expected of the candidates of a key. What the model has learned from the key itself is taken out
  /// of it again: it counts for the key by itself.
  /// `log_costs`: of the candidates' estimates; empty without them.
  Expectations expectations(const Key& key, std::span<const std::uint32_t> candidates,
                            std::span<const float> log_costs = {}) const;

  /// What is expected of candidates at a key of which nothing is known: the covariance of the residuals
  /// alone.
  Expectations usual_expectations(std::span<const std::uint32_t> candidates) const;

  /// The candidate, by index, to launch first at a key that has no results: the fastest by a draw of the
  /// coefficients, which serves for all keys until the next fit (Thompson sampling).
  std::size_t decide(const Key& key, std::span<const std::uint32_t> candidates,
                     std::span<const float> log_costs = {}) const noexcept {
    return least(draw_, key, candidates, log_costs);
  }

  /// Whether the model may decide what another key launches first: it knows two keys or more, or one that has
  /// the same labels and was measured by this process or lies within the limit of the nearest key.
  bool speaks_of(const Key& key) const noexcept;
  /// Whether the model has proved itself on keys that it was compared with without knowing them: what it
  /// expected to be the fastest of the variants measured was nearly as fast as the fastest, or it lost half
  /// of what the choice of the nearest key loses, and of what any variant loses where no key is near.
  bool proven() const noexcept { return proven_; }
  /// The candidate, by index, that is expected to be the fastest.
  std::size_t fastest(const Key& key, std::span<const std::uint32_t> candidates,
                      std::span<const float> log_costs = {}) const noexcept {
    return least(mean_, key, candidates, log_costs);
  }

  /// The expected log latencies of the candidates, NaN for those that the model does not know. Much cheaper
  /// than `expectations`.
  std::vector<double> expected(const Key& key, std::span<const std::uint32_t> candidates,
                               std::span<const float> log_costs = {}) const;

  /// A key, prepared for the coefficients below: the expected ones, and the draw behind `decide`.
  ModelFeatures::Point point(const Key& key) const noexcept { return features_.point(key); }
  const FoldedWeights& mean() const noexcept { return mean_; }
  const FoldedWeights& draw() const noexcept { return draw_; }

  /// Number of keys that the model has learned from.
  std::size_t keys() const noexcept { return keys_.size(); }
  /// Standard deviation of the error at a variant of a key, without that of the key's level.
  double own_error() const noexcept { return own_error_; }
  double level_error() const noexcept { return level_error_; }
  /// Standard deviation of the error of what the model says of a variant on this device: its own, and that of
  /// what it was told, which may be of another device.
  double prediction_error() const noexcept;
  const NoiseLaw& noise() const noexcept { return noise_; }

 private:
  void fit();
  void judge();
  /// What the fastest variant of the nearest other key would lose at a key, on a log scale, or any of the
  /// variants measured if no key is near. `results` are the key's.
  double lost_by_nearest(const MeasuredKey& key, std::span<const Measured> results) const;
  bool knows(std::uint32_t variant) const noexcept { return variant < features_.variants(); }
  // Without its estimate a result does not fit the others.
  bool learns_from(const Measured& m) const noexcept {
    return knows(m.variant) && (features_.estimated() == 0 || m.log_cost == m.log_cost);
  }
  /// Means and covariance of some variants at a key, by the regression alone.
  void predict(const ModelFeatures::Point& point, std::span<const std::uint32_t> variants,
               Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) const;
  /// Takes results of the key, which are results at some of the variants predicted, out of a prediction.
  void take_out(std::span<const Measured> results, std::span<const std::size_t> at, Eigen::VectorXd& mean,
                Eigen::MatrixXd& covariance) const;
  std::size_t least(const FoldedWeights& by, const Key& key, std::span<const std::uint32_t> candidates,
                    std::span<const float> log_costs) const noexcept;
  /// Writes the scores of as many variants as there is room for, and returns what is common to all of them.
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
  FoldedWeights mean_;  // `weights_`
  FoldedWeights draw_;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  std::vector<MeasuredKey> keys_;  // by key
  double own_error_;
  double level_error_;
  // The errors that the fit assumed, by which results are taken out of it again.
  double own_error_of_fit_ = 0.0;
  double level_error_of_fit_ = 0.0;
  double checked_ = 0.0;  // results by which the error has been checked
  bool proven_ = false;
  bool learned_elsewhere_ = false;  // most keys are those of tables
};

/// Conditions expectations on what a table says of the key. `level_deviation`: by how much all of it may be
/// off. `told`: the results behind each entry if the table is of this device and software, else empty.
void condition(Expectations& expectations, std::span<const double> location, std::span<const double> variance,
               double level_deviation, std::vector<std::uint32_t> told);

}  // namespace adaptive::core

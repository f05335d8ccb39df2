#include "learning/model/operation_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <adaptive/random.hpp>
#include "base/statistics/normal.hpp"
#include "learning/model/costs_by_variant.hpp"
#include "learning/model/matrices.hpp"

namespace adaptive::inline v1::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Standard deviations of log latency before anything is known: `usual_error` is the prior for what the model
// leaves unexplained at a variant of a key. The first fit assumes `own_error_first` for that, and
// `level_error_first` for the level of a key.
constexpr double usual_error = 0.14;
constexpr double own_error_first = 0.08;
constexpr double level_error_first = 0.3;
// Maximum number of candidates of a key for which the model predicts: the memory for the covariance grows
// with the square of this number.
constexpr std::size_t predicted_max = 1024;
// Maximum number of variants that have a score, the first ones of the operation: scores are on the stack.
constexpr std::size_t scored_max = 1024;
// Factor of the standard deviation of the coefficients in the draw that decides the first launches of new
// keys: below 1, the draw explores less than plain Thompson sampling.
constexpr double optimism = 0.25;
Key reference_of(std::span<const MeasuredKey> keys, std::span<const Dimension> dimensions) {
  if (!keys.empty()) return keys.front().key;
  std::vector<std::int64_t> values(dimensions.size(), 1024);
  for (std::size_t d = 0; d < values.size(); ++d)
    if (dimensions[d].kind != DimensionKind::size) values[d] = 0;
  return Key(values);
}

VectorXd prior_precision(const ModelFeatures& features) {
  VectorXd precision(to_index(features.size()));
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::size_t shared = features.shared();
    const std::size_t at = i < shared ? i : shared + (i - shared) % features.own();
    const double deviation = features.prior_deviation()[at];
    precision(to_index(i)) = 1.0 / (deviation * deviation);
  }
  return precision;
}

}  // namespace

OperationModel::OperationModel(const ModelShape& shape)
    : predicts_(shape.predicts),
      dimensions_(shape.dimensions.begin(), shape.dimensions.end()),
      nearest_limit_(shape.nearest_limit),
      features_(shape.dimensions, shape.space, shape.tiles, shape.multiprocessors, shape.estimated,
                reference_of({}, shape.dimensions)),
      likeness_(shape.space, shape.tiles.size(), usual_error),
      precision_(prior_precision(features_)),
      weights_(VectorXd::Zero(precision_.size())),
      mean_(features_, weights_),
      draw_(mean_),
      own_error_(own_error_first),
      level_error_(level_error_first) {}

OperationModel::OperationModel(const ModelShape& shape, std::vector<MeasuredKey> keys, const NoiseLaw& noise,
                               const OperationModel& before)
    : predicts_(shape.predicts),
      dimensions_(shape.dimensions.begin(), shape.dimensions.end()),
      nearest_limit_(shape.nearest_limit),
      features_(shape.dimensions, shape.space, shape.tiles, shape.multiprocessors, shape.estimated,
                reference_of(keys, shape.dimensions)),
      likeness_(shape.space, shape.tiles.size(), usual_error),
      noise_(noise),
      precision_(prior_precision(features_)),
      keys_(std::move(keys)),
      own_error_(before.own_error_),
      level_error_(before.level_error_) {
  std::sort(keys_.begin(), keys_.end(),
            [](const MeasuredKey& a, const MeasuredKey& b) { return a.key < b.key; });
  const auto of_tables =
      std::count_if(keys_.begin(), keys_.end(), [](const MeasuredKey& key) { return !key.by_this_process; });
  learned_elsewhere_ = 2 * static_cast<std::size_t>(of_tables) > keys_.size();
  own_error_of_fit_ = own_error_;
  level_error_of_fit_ = level_error_;
  fit();
  judge();
  Random random(shape.seed);
  VectorXd z(precision_.size());
  for (double& x : z) x = optimism * normal(random);
  mean_ = FoldedWeights(features_, weights_);
  draw_ = FoldedWeights(features_, weights_ + factor_.matrixU().solve(z));
}

void OperationModel::fit() {
  const Index s = to_index(features_.shared());
  const Index f = to_index(features_.own());
  const Index size = precision_.size();
  MatrixXd p = MatrixXd::Zero(size, size);
  VectorXd b = VectorXd::Zero(size);
  VectorXd row(s + f);
  VectorXd sum(size);
  const double own_variance = own_error_ * own_error_;
  const double key_variance = level_error_ * level_error_;
  for (const MeasuredKey& key : keys_) {
    // The key's level is integrated out: a key with several results informs about the differences between its
    // variants and, as far as features predict it, about its level.
    ModelFeatures::Point point = features_.point(key.key);
    const CostsByVariant costs(features_.estimated(), key.results);
    point.log_cost = costs.all();
    const bool several = key.results.size() > 1;
    double weight_sum = 0.0;
    double location_sum = 0.0;
    if (several) sum.setZero();
    for (const Measured& m : key.results) {
      if (!learns_from(m)) continue;
      features_.fill(point, m.variant, row.data());
      const double location = m.location - features_.offset(point, m.variant);
      const double w = 1.0 / (own_variance + m.variance + (several ? 0.0 : key_variance));
      const Index at = s + to_index(m.variant) * f;
      p.topLeftCorner(s, s).selfadjointView<Eigen::Lower>().rankUpdate(row.head(s), w);
      b.head(s) += w * location * row.head(s);
      if (f > 0) {
        p.block(at, 0, f, s).noalias() += w * row.tail(f) * row.head(s).transpose();
        p.block(at, at, f, f).noalias() += w * row.tail(f) * row.tail(f).transpose();
        b.segment(at, f) += w * location * row.tail(f);
      }
      if (!several) continue;
      sum.head(s) += w * row.head(s);
      if (f > 0) sum.segment(at, f) += w * row.tail(f);
      weight_sum += w;
      location_sum += w * location;
    }
    if (!several) continue;
    const double c = 1.0 / (1.0 / key_variance + weight_sum);
    p.selfadjointView<Eigen::Lower>().rankUpdate(sum, -c);
    b -= c * location_sum * sum;
  }
  p.diagonal() += precision_;
  factor_.compute(p.selfadjointView<Eigen::Lower>());
  weights_ = factor_.solve(b);
}

void OperationModel::predict(const ModelFeatures::Point& point, std::span<const std::uint32_t> variants,
                             VectorXd& mean, MatrixXd& covariance) const {
  const Index s = to_index(features_.shared());
  const Index f = to_index(features_.own());
  MatrixXd phi = MatrixXd::Zero(precision_.size(), to_index(variants.size()));
  VectorXd row(s + f);
  for (std::size_t i = 0; i < variants.size(); ++i) {
    if (!knows(variants[i])) continue;
    features_.fill(point, variants[i], row.data());
    phi.col(to_index(i)).head(s) = row.head(s);
    if (f > 0) phi.col(to_index(i)).segment(s + to_index(variants[i]) * f, f) = row.tail(f);
  }
  mean = phi.transpose() * weights_;
  for (std::size_t i = 0; i < variants.size(); ++i)
    if (knows(variants[i])) mean(to_index(i)) += features_.offset(point, variants[i]);
  if (keys_.empty()) {
    covariance = phi.transpose() * precision_.cwiseInverse().asDiagonal() * phi;
    return;
  }
  factor_.matrixL().solveInPlace(phi);
  covariance = phi.transpose() * phi;
}

void OperationModel::take_out(std::span<const Measured> results, std::span<const std::size_t> at,
                              VectorXd& mean, MatrixXd& covariance) const {
  const Index n = to_index(results.size());
  if (n == 0 || keys_.empty()) return;
  MatrixXd cross(covariance.rows(), n);
  MatrixXd noise(n, n);
  VectorXd residual(n);
  for (Index a = 0; a < n; ++a) {
    const Measured& m = results[static_cast<std::size_t>(a)];
    const Index of_a = to_index(at[static_cast<std::size_t>(a)]);
    cross.col(a) = covariance.col(of_a);
    residual(a) = m.location - mean(of_a);
    for (Index c = 0; c < n; ++c)
      noise(a, c) = level_error_of_fit_ * level_error_of_fit_ -
                    covariance(of_a, to_index(at[static_cast<std::size_t>(c)])) +
                    (a == c ? own_error_of_fit_ * own_error_of_fit_ + m.variance : 0.0);
  }
  const Eigen::LDLT<MatrixXd> factor(noise);
  mean -= cross * factor.solve(residual);
  covariance += cross * factor.solve(cross.transpose());
}

Expectations OperationModel::expectations(const Key& key, std::span<const std::uint32_t> candidates,
                                          std::span<const float> log_costs) const {
  if (candidates.size() > predicted_max) return usual_expectations(candidates);
  std::vector<Measured> own;
  std::vector<std::size_t> at;
  const auto known = std::lower_bound(keys_.begin(), keys_.end(), key,
                                      [](const MeasuredKey& m, const Key& k) { return m.key < k; });
  if (known != keys_.end() && known->key == key)
    for (const Measured& m : known->results) {
      const auto candidate = std::find(candidates.begin(), candidates.end(), m.variant);
      if (candidate == candidates.end() || !learns_from(m)) continue;
      own.push_back(m);
      at.push_back(static_cast<std::size_t>(candidate - candidates.begin()));
    }
  VectorXd mean;
  MatrixXd covariance;
  ModelFeatures::Point point = features_.point(key);
  const CostsByVariant costs(features_.estimated(), candidates, log_costs);
  point.log_cost = costs.all();
  predict(point, candidates, mean, covariance);
  take_out(own, at, mean, covariance);
  if (!predicts_ || keys_.size() + 1 < keys_to_learn_from + (own.empty() ? 0 : 1))
    forget_others(mean, covariance);
  const std::size_t k = candidates.size();
  for (std::size_t a = 0; a < k; ++a)
    for (std::size_t b = 0; b < k; ++b)
      covariance(to_index(a), to_index(b)) += knows(candidates[a]) && knows(candidates[b])
                                                  ? likeness_.covariance(candidates[a], candidates[b])
                                              : a == b ? likeness_.variance()
                                                       : 0.0;
  // The error that all candidates have in common is that of the level, which counts as unknown. It is
  // subtracted here, so that no large numbers cancel later.
  const VectorXd common = covariance.rowwise().mean();
  const double all = common.mean();
  Expectations result;
  result.noise = noise_;
  result.checked = checked_;
  result.learned_elsewhere = learned_elsewhere_;
  result.location.resize(k);
  const bool correlated = k <= Expectations::correlated_max;
  result.covariance.resize(correlated ? k * k : k);
  for (std::size_t a = 0; a < k; ++a) {
    result.location[a] = static_cast<float>(mean(to_index(a)));
    for (std::size_t b = 0; b < k; ++b) {
      const double centred =
          covariance(to_index(a), to_index(b)) - common(to_index(a)) - common(to_index(b)) + all;
      if (correlated)
        result.covariance[a * k + b] = static_cast<float>(centred);
      else if (a == b)
        result.covariance[a] = static_cast<float>(centred);
    }
  }
  return result;
}

Expectations OperationModel::usual_expectations(std::span<const std::uint32_t> candidates) const {
  Expectations result;
  const std::size_t k = candidates.size();
  result.noise = noise_;
  result.location.assign(k, 0.0F);
  const auto covariance = [&](std::size_t a, std::size_t b) {
    if (knows(candidates[a]) && knows(candidates[b]))
      return likeness_.covariance(candidates[a], candidates[b]);
    return a == b ? likeness_.variance() : 0.0;
  };
  const bool correlated = k <= Expectations::correlated_max;
  for (std::size_t a = 0; a < k; ++a) {
    if (!correlated) result.covariance.push_back(static_cast<float>(covariance(a, a)));
    for (std::size_t b = 0; correlated && b < k; ++b)
      result.covariance.push_back(static_cast<float>(covariance(a, b)));
  }
  return result;
}

double OperationModel::score(const FoldedWeights& by, const Key& key,
                             std::span<const std::uint32_t> candidates, std::span<const float> log_costs,
                             std::span<double> scores) const noexcept {
  ModelFeatures::Point point = features_.point(key);
  std::array<float, scored_max> costs;
  if (!log_costs.empty()) {
    std::fill_n(costs.begin(), scores.size(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (candidates[i] < scores.size()) costs[candidates[i]] = log_costs[i];
    complete_costs({costs.data(), scores.size()});
    point.log_cost = {costs.data(), scores.size()};
  }
  by.score(point, scores);
  return by.common(point);
}

// The index of the candidate with the least score; 0 if the model knows none of the candidates.
std::size_t OperationModel::least(const FoldedWeights& by, const Key& key,
                                  std::span<const std::uint32_t> candidates,
                                  std::span<const float> log_costs) const noexcept {
  std::array<double, scored_max> scores;
  const std::span<double> known(scores.data(), std::min(by.variants(), scores.size()));
  score(by, key, candidates, log_costs, known);
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i] >= known.size() || known[candidates[i]] >= least) continue;
    least = known[candidates[i]];
    best = i;
  }
  return best;
}

std::vector<double> OperationModel::expected(const Key& key, std::span<const std::uint32_t> candidates,
                                             std::span<const float> log_costs) const {
  std::array<double, scored_max> scores;
  const std::span<double> known(scores.data(), std::min(mean_.variants(), scores.size()));
  const double common = score(mean_, key, candidates, log_costs, known);
  std::vector<double> result(candidates.size(), VariantStatistics::none);
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (candidates[i] < known.size()) result[i] = common + known[candidates[i]];
  return result;
}

void condition(Expectations& expectations, std::span<const double> location, std::span<const double> variance,
               double level_deviation, std::vector<std::uint32_t> told) {
  const Index k = to_index(expectations.location.size());
  expectations.told = std::move(told);
  std::vector<Index> known;
  for (Index i = 0; i < k; ++i)
    if (location[static_cast<std::size_t>(i)] == location[static_cast<std::size_t>(i)]) known.push_back(i);
  if (known.empty()) return;
  const auto n = static_cast<Index>(known.size());
  if (!expectations.correlated()) {
    // Only variances are known: shift all locations to the level of the table, then each by itself.
    double sum = 0.0;
    for (const Index i : known)
      sum +=
          location[static_cast<std::size_t>(i)] - double{expectations.location[static_cast<std::size_t>(i)]};
    for (float& x : expectations.location) x += static_cast<float>(sum / static_cast<double>(n));
    for (const Index i : known) {
      const auto at = static_cast<std::size_t>(i);
      const double own = expectations.covariance[at];
      const double gain = own / (own + variance[at]);
      expectations.location[at] +=
          static_cast<float>(gain * (location[at] - double{expectations.location[at]}));
      expectations.covariance[at] = static_cast<float>(own * (1.0 - gain));
    }
    expectations.level_deviation = level_deviation;
    return;
  }
  MatrixXd covariance(k, k);
  for (Index a = 0; a < k; ++a)
    for (Index b = 0; b < k; ++b)
      covariance(a, b) = expectations.covariance[static_cast<std::size_t>(a * k + b)];
  covariance.array() += level_variance;
  MatrixXd seen(n, n);
  MatrixXd cross(k, n);
  VectorXd residual(n);
  for (Index a = 0; a < n; ++a) {
    const Index i = known[static_cast<std::size_t>(a)];
    cross.col(a) = covariance.col(i);
    residual(a) =
        location[static_cast<std::size_t>(i)] - double{expectations.location[static_cast<std::size_t>(i)]};
    for (Index b = 0; b < n; ++b) seen(a, b) = covariance(i, known[static_cast<std::size_t>(b)]);
    seen(a, a) += variance[static_cast<std::size_t>(i)];
  }
  const Eigen::LLT<MatrixXd> factor(seen);
  const VectorXd shift = cross * factor.solve(residual);
  covariance -= cross * factor.solve(cross.transpose());
  for (Index a = 0; a < k; ++a) {
    expectations.location[static_cast<std::size_t>(a)] += static_cast<float>(shift(a));
    for (Index b = 0; b < k; ++b)
      expectations.covariance[static_cast<std::size_t>(a * k + b)] = static_cast<float>(covariance(a, b));
  }
  expectations.level_deviation = level_deviation;
}

}  // namespace adaptive::core

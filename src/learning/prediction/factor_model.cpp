#include "learning/prediction/factor_model.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

namespace adaptive::inline v1::policies {
namespace {

constexpr int iterations = 12;
constexpr std::uint64_t keys_min = 2;
// Precision of what is believed of a level beforehand: nothing, in logarithms of nanoseconds.
constexpr double level_precision = 1e-4;
// Of a factor, where only the key's own latencies are asked: next to nothing.
constexpr double factor_precision = 1e-3;
// A variant's deviation is that of all variants with the weight of so many keys, and never below the error
// of a good clock.
constexpr double deviation_weight = 4.0;
constexpr double deviation_min = 0.003;
// What no key has told yet.
constexpr double deviation_first = 0.05;

using Square = Eigen::Matrix<double, FactorModel::factors + 1, FactorModel::factors + 1>;

}  // namespace

const FactorModel::Row* FactorModel::row(std::uint32_t variant) const noexcept {
  const auto at = index_.find(variant);
  return at == index_.end() ? nullptr : &rows_[at->second];
}

FactorModel::Posterior FactorModel::posterior(const std::vector<Observed>& key,
                                              const Scores& precision) const {
  Square information = precision.asDiagonal();
  Scores weighted = Scores::Zero();
  for (const Observed& o : key) {
    const Row* r = row(o.variant);
    if (r == nullptr) continue;
    Scores a;
    a << 1.0, r->loadings;
    const double weight = 1.0 / (r->variance + o.variance);
    information.noalias() += weight * a * a.transpose();
    weighted += weight * (o.log_latency - r->mean) * a;
  }
  Posterior result;
  result.covariance = information.llt().solve(Square::Identity());
  result.mean = result.covariance * weighted;
  return result;
}

FactorModel::Estimate FactorModel::estimate(const std::vector<Observed>& key) const {
  Scores precision = Scores::Constant(factor_precision);
  precision[0] = level_precision;
  const Posterior p = posterior(key, precision);
  return {p.mean, p.covariance.diagonal()};
}

void FactorModel::begin(std::span<const std::vector<Observed>> keys) {
  index_.clear();
  rows_.clear();
  std::unordered_map<std::uint32_t, std::uint64_t> counts;
  for (const auto& key : keys)
    for (const Observed& o : key) ++counts[o.variant];
  // In the order of the keys, so that the outcome does not hang on how a map is laid out.
  for (const auto& key : keys)
    for (const Observed& o : key)
      if (counts[o.variant] >= keys_min && index_.emplace(o.variant, rows_.size()).second)
        rows_.push_back({.keys = counts[o.variant]});

  // Additive first: a level for every key, a mean for every variant; twice, since keys miss variants.
  const auto m = static_cast<Eigen::Index>(keys.size());
  const auto k = static_cast<Eigen::Index>(rows_.size());
  Eigen::MatrixXd residual = Eigen::MatrixXd::Zero(m, k);
  Eigen::VectorXd level = Eigen::VectorXd::Zero(m);
  for (int round = 0; round < 3; ++round) {
    Eigen::VectorXd sums = Eigen::VectorXd::Zero(k);
    for (Eigen::Index e = 0; e < m; ++e) {
      double sum = 0.0;
      double count = 0.0;
      for (const Observed& o : keys[static_cast<std::size_t>(e)]) {
        const auto at = index_.find(o.variant);
        if (at == index_.end()) continue;
        sum += o.log_latency - rows_[at->second].mean;
        count += 1.0;
      }
      if (count > 0.0) level[e] = sum / count;
      for (const Observed& o : keys[static_cast<std::size_t>(e)]) {
        const auto at = index_.find(o.variant);
        if (at != index_.end()) sums[at->second] += o.log_latency - level[e];
      }
    }
    for (Eigen::Index v = 0; v < k; ++v) {
      Row& row = rows_[static_cast<std::size_t>(v)];
      row.mean = sums[v] / static_cast<double>(row.keys);
    }
  }
  for (Eigen::Index e = 0; e < m; ++e)
    for (const Observed& o : keys[static_cast<std::size_t>(e)]) {
      const auto at = index_.find(o.variant);
      if (at != index_.end()) residual(e, at->second) = o.log_latency - level[e] - rows_[at->second].mean;
    }

  // What is left: its principal components, by the products of the keys, of which there are few.
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(residual * residual.transpose());
  scores_.assign(keys.size(), {});
  // No more of them than a key's variants can tell from their own errors.
  const int used =
      static_cast<int>(std::min({Eigen::Index{factors}, m, std::max<Eigen::Index>((k - 1) / 2, 1)}));
  for (Eigen::Index e = 0; e < m; ++e) {
    scores_[static_cast<std::size_t>(e)].mean[0] = level[e];
    for (int f = 0; f < used; ++f)
      scores_[static_cast<std::size_t>(e)].mean[1 + f] =
          std::sqrt(static_cast<double>(m)) * solver.eigenvectors()(e, m - 1 - f);
  }
  const double pooled = residual.squaredNorm() / std::max(1.0, static_cast<double>(m * k));
  for (Row& row : rows_) row.variance = std::max(0.1 * pooled, deviation_min * deviation_min);
}

void FactorModel::improve_rows(std::span<const std::vector<Observed>> keys) {
  // Each row is a regression of its variant's latencies, less the levels, on (1, z).
  std::vector<Square> products(rows_.size(), Square::Zero());
  std::vector<Scores> weighted(rows_.size(), Scores::Zero());
  for (std::size_t e = 0; e < keys.size(); ++e) {
    const Posterior& s = scores_[e];
    Scores h = s.mean;
    h[0] = 1.0;
    Square hh = h * h.transpose();
    hh.bottomRightCorner<factors, factors>() += s.covariance.bottomRightCorner<factors, factors>();
    for (const Observed& o : keys[e]) {
      const auto at = index_.find(o.variant);
      if (at == index_.end()) continue;
      const double weight = 1.0 / (rows_[at->second].variance + o.variance);
      products[at->second] += weight * hh;
      Scores target = h * (o.log_latency - s.mean[0]);
      target.tail<factors>() -= s.covariance.col(0).tail<factors>();
      weighted[at->second] += weight * target;
    }
  }
  // A variant that few keys have measured is believed to differ from the others as they do from each other.
  Scores spread = Scores::Constant(1e-6);
  for (const Row& row : rows_) {
    spread[0] += row.mean * row.mean / static_cast<double>(rows_.size());
    spread.tail<factors>() += row.loadings.cwiseAbs2() / static_cast<double>(rows_.size());
  }
  const bool first = spread.tail<factors>().maxCoeff() < 1e-5;
  for (std::size_t v = 0; v < rows_.size(); ++v) {
    Square information = products[v];
    if (first)
      information.diagonal().array() += 1e-6;
    else
      information.diagonal() += spread.cwiseInverse();
    const Scores row = information.llt().solve(weighted[v]);
    rows_[v].mean = row[0];
    rows_[v].loadings = row.tail<factors>();
  }

  std::vector<double> squares(rows_.size(), 0.0);
  for (std::size_t e = 0; e < keys.size(); ++e)
    for (const Observed& o : keys[e]) {
      const auto at = index_.find(o.variant);
      if (at == index_.end()) continue;
      const Row& r = rows_[at->second];
      Scores a;
      a << 1.0, r.loadings;
      const double residual = o.log_latency - r.mean - a.dot(scores_[e].mean);
      squares[at->second] += residual * residual + a.dot(scores_[e].covariance * a);
    }
  // Each row has taken up to four of its residuals' degrees of freedom.
  double total = 0.0;
  double freedom = 0.0;
  const auto free = [](const Row& row) { return std::max(0.0, static_cast<double>(row.keys) - factors - 1); };
  for (std::size_t v = 0; v < rows_.size(); ++v) {
    total += squares[v];
    freedom += free(rows_[v]);
  }
  const double pooled =
      (total + deviation_weight * deviation_first * deviation_first) / (freedom + deviation_weight);
  for (std::size_t v = 0; v < rows_.size(); ++v) {
    const double f = free(rows_[v]);
    rows_[v].variance =
        std::max((deviation_weight * pooled + (f > 0 ? squares[v] : 0.0)) / (deviation_weight + f),
                 deviation_min * deviation_min);
  }
}

void FactorModel::improve_scores(std::span<const std::vector<Observed>> keys) {
  Scores precision = Scores::Ones();
  precision[0] = level_precision;
  for (std::size_t e = 0; e < keys.size(); ++e) scores_[e] = posterior(keys[e], precision);
}

void FactorModel::fit(std::span<const std::vector<Observed>> keys) {
  begin(keys);
  for (int i = 0; i < iterations; ++i) {
    improve_rows(keys);
    improve_scores(keys);
  }
  scores_.clear();
}

}  // namespace adaptive::policies

#include "learning/prediction/prediction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "prior/distance.hpp"

namespace adaptive::inline v1::policies {
namespace {

constexpr std::size_t fitted_max = 64;
constexpr std::size_t known_max = 1024;
constexpr std::size_t asked_max = 32;

// A key says nothing of how variants compare on fewer of them.
constexpr std::size_t variants_min = 2;
// Of one launch, where a table does not say.
constexpr double deviation_usual = 0.03;
constexpr double deviation_most = 0.2;  // outliers inflate the variance of raw latencies

// Of the logarithm of a latency, per doubling of a size: a size that counts for nothing to one that it grows
// with.
constexpr double level_slope = 0.7;
constexpr double factor_slope = 0.15;

std::vector<Observed> observed(const core::KnownKey& key) {
  std::vector<Observed> result;
  for (const core::SeedVariant& seed : key.variants) {
    if (seed.count == 0 || !(seed.compared_ns() > 0.0)) continue;
    const double relative =
        seed.mean_ns > 0 && seed.count > 1
            ? std::min(std::sqrt(std::max(seed.variance_ns2, 0.0)) / seed.mean_ns, deviation_most)
            : deviation_usual;
    result.push_back({seed.variant, std::log(seed.compared_ns()),
                      relative * relative / static_cast<double>(seed.count) + key.deviation * key.deviation});
  }
  return result;
}

// Deviations that hold nine tenths of a normal.
constexpr double nine_tenths = 1.645;
// The calibration begins at 1 with the weight of so many errors, and stays within these.
constexpr double calibration_weight = 20.0;
constexpr double calibration_min = 0.8;
constexpr double calibration_max = 2.0;

// The middle of some values, the upper one of two.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The keys that cover all of them best: each next one is the farthest from those taken (Gonzalez, "Clustering
// to minimize the maximum intercluster distance", Theoretical Computer Science 38, 1985).
std::vector<std::size_t> spread_out(std::span<const Features> keys, std::size_t count) {
  std::vector<std::size_t> taken;
  std::vector<double> nearest(keys.size(), std::numeric_limits<double>::infinity());
  for (std::size_t next = 0; taken.size() < std::min(count, keys.size());) {
    taken.push_back(next);
    nearest[next] = -1.0;
    for (std::size_t i = 0; i < keys.size(); ++i)
      nearest[i] = std::min(nearest[i], (keys[i] - keys[next]).squaredNorm() - (i == next ? 1.0 : 0.0));
    next = static_cast<std::size_t>(std::max_element(nearest.begin(), nearest.end()) - nearest.begin());
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

}  // namespace

Features LatencyPredictor::features(const Key& key) const {
  Features result = Features::Zero(static_cast<Eigen::Index>(dimensions_.size()));
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const Dimension& d = dimensions_[i];
    const double value = static_cast<double>(key[i]);
    if (d.kind == DimensionKind::size)
      result[static_cast<Eigen::Index>(i)] = d.weight * std::log2(std::max(value, 0.5));
    else if (d.kind == DimensionKind::linear)
      result[static_cast<Eigen::Index>(i)] = d.weight * value;
  }
  return result;
}

void LatencyPredictor::fit(std::span<const Dimension> dimensions, std::span<const core::KnownKey> keys) {
  dimensions_.assign(dimensions.begin(), dimensions.end());
  known_.clear();
  results_.clear();
  std::vector<std::vector<Observed>> latencies;
  std::vector<Features> places;
  for (const core::KnownKey& key : keys) {
    if (latencies.size() == known_max) break;
    std::vector<Observed> of_key = observed(key);
    if (of_key.size() < variants_min) continue;
    for (const core::SeedVariant& seed : key.variants) {
      if (seed.variant >= results_.size()) results_.resize(seed.variant + 1, 0);
      results_[seed.variant] += seed.count;
    }
    places.push_back(features(key.key));
    known_.push_back({key.key, places.back(), key.deviation, {}});
    latencies.push_back(std::move(of_key));
  }
  if (known_.size() < keys_min) {
    known_.clear();
    return;
  }

  const std::vector<std::size_t> fitted = spread_out(places, fitted_max);
  std::vector<std::vector<Observed>> of_fitted;
  std::vector<Features> places_fitted;
  for (const std::size_t i : fitted) {
    of_fitted.push_back(latencies[i]);
    places_fitted.push_back(places[i]);
  }
  model_.fit(of_fitted);
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const FactorModel::Estimate estimate = model_.estimate(latencies[i]);
    for (std::size_t f = 0; f < parts; ++f)
      known_[i].targets[f] = {estimate.mean[static_cast<Eigen::Index>(f)],
                              estimate.variance[static_cast<Eigen::Index>(f)]};
  }
  for (std::size_t f = 0; f < parts; ++f) {
    std::vector<Target> targets;
    for (const std::size_t i : fitted) targets.push_back(known_[i].targets[f]);
    regressions_[f].fit(places_fitted, targets, {f == 0 ? level_slope : factor_slope});
  }
  std::vector<std::array<Target, parts>> targets_fitted;
  for (const std::size_t i : fitted) targets_fitted.push_back(known_[i].targets);
  calibrate(places_fitted, of_fitted, targets_fitted);
}

void LatencyPredictor::calibrate(std::span<const Features> places,
                                 std::span<const std::vector<Observed>> latencies,
                                 std::span<const std::array<Target, parts>> targets) {
  std::array<std::vector<Estimated>, parts> without;
  for (std::size_t f = 0; f < parts; ++f) {
    std::vector<Target> of_part;
    for (const auto& key : targets) of_part.push_back(key[f]);
    without[f] = regressions_[f].leave_one_out(places, of_part);
  }
  std::vector<double> misses;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::vector<double> errors;
    std::vector<double> deviations;
    for (const Observed& o : latencies[i]) {
      const FactorModel::Row* row = model_.row(o.variant);
      if (row == nullptr) continue;
      double expected = without[0][i].mean + row->mean;
      double variance = row->variance + o.variance;
      for (std::size_t f = 1; f < parts; ++f) {
        const double loading = row->loadings[static_cast<Eigen::Index>(f - 1)];
        expected += loading * without[f][i].mean;
        variance += loading * loading * without[f][i].variance;
      }
      errors.push_back(o.log_latency - expected);
      // The row has been fitted to this key as well: by so much its errors are smaller here than elsewhere.
      const double taken = std::min(0.5, static_cast<double>(parts) / static_cast<double>(row->keys));
      deviations.push_back(std::sqrt(variance * (1.0 - taken) / (1.0 + taken)));
    }
    if (errors.size() < variants_min) continue;
    // What all variants of the key have in common does not order them.
    const double common = median(errors);
    for (std::size_t v = 0; v < errors.size(); ++v)
      misses.push_back(std::abs(errors[v] - common) / deviations[v]);
  }
  calibration_ = 1.0;
  if (misses.empty()) return;
  // Keys are what is exchangeable, not their variants: the quantile of so many keys by Hazen's plotting
  // position.
  const double keys = static_cast<double>(places.size());
  const double count = static_cast<double>(misses.size());
  const double rank = std::min((0.9 + 0.5 / keys) * count, count - 1.0);
  const auto at = misses.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(misses.begin(), at, misses.end());
  calibration_ = std::clamp((calibration_weight + count * *at / nine_tenths) / (calibration_weight + count),
                            calibration_min, calibration_max);
}

std::vector<const LatencyPredictor::Known*> LatencyPredictor::nearest(const Key& key) const {
  std::vector<std::pair<double, const Known*>> near;
  for (const Known& known : known_) {
    const double at = core::distance(dimensions_, key, known.key);
    if (std::isfinite(at)) near.emplace_back(at, &known);
  }
  const std::size_t count = std::min(asked_max, near.size());
  std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(count), near.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Known*> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(near[i].second);
  return result;
}

bool LatencyPredictor::predict(const Key& key, std::span<const std::uint32_t> candidates,
                               core::Prediction& prediction) const {
  const std::vector<const Known*> near = nearest(key);
  if (near.size() < keys_min) return false;
  const Features place = features(key);
  std::vector<Features> places;
  double foreign = 0.0;  // what is wrong with a whole table does not average out
  for (const Known* known : near) {
    places.push_back(known->features);
    foreign += known->deviation * known->deviation / static_cast<double>(near.size());
  }
  FactorModel::Scores mean;
  FactorModel::Scores deviation;
  for (std::size_t f = 0; f < parts; ++f) {
    std::vector<Target> targets;
    for (const Known* known : near) targets.push_back(known->targets[f]);
    const Estimated part = regressions_[f].predict(place, places, targets);
    mean[static_cast<Eigen::Index>(f)] = part.mean;
    deviation[static_cast<Eigen::Index>(f)] = std::sqrt(part.variance);
  }

  prediction.candidates.assign(candidates.size(), {});
  prediction.keys = known_.size();
  prediction.offset_deviation = deviation[0];
  std::vector<double> deviations;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const FactorModel::Row* row = model_.row(candidates[i]);
    if (row == nullptr) continue;
    core::Prediction::Candidate& c = prediction.candidates[i];
    c.location = mean[0] + row->mean + row->loadings.dot(mean.tail<FactorModel::factors>());
    double variance = calibration_ * calibration_ * row->variance + foreign;
    for (std::size_t f = 0; f < c.loadings.size(); ++f) {
      const auto at = static_cast<Eigen::Index>(f);
      c.loadings[f] = calibration_ * row->loadings[at] * deviation[1 + at];
      variance += c.loadings[f] * c.loadings[f];
    }
    c.deviation = std::sqrt(variance);
    c.count = results_[candidates[i]];
    deviations.push_back(c.deviation);
  }
  if (deviations.size() < variants_min) return false;
  prediction.deviation = median(deviations);
  return true;
}

std::unique_ptr<core::Predictor> make_predictor() {
  return std::make_unique<LatencyPredictor>();
}

}  // namespace adaptive::policies

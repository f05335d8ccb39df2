// The errors of the model over all keys, estimated by comparing it with the results of each key.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "learning/model/costs_by_variant.hpp"
#include "learning/model/matrices.hpp"
#include "learning/model/operation_model.hpp"
#include "prior/distance.hpp"

namespace adaptive::inline v1::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Prior for the standard deviation of a key's level (log latency) from the model, and its weight in keys.
constexpr double level_error_weight = 4.0;
constexpr double level_error_usual = 0.25;
// Minimum number of keys by which a fit is judged, if there are that many: every n-th key takes part, fewer
// than twice this number.
constexpr std::size_t judged_max = 48;
// Maximum number of results of one key that judge a fit: the time for the likelihood grows with the cube of
// this number.
constexpr std::size_t judged_results_max = 32;
// The model is proven if it has been compared at `proven_keys_min` keys, and if its choices lose little. The
// loss at a key is the log latency above that of the key's fastest measured variant. The mean loss of the
// model's choices must be at most `proven_loss_max`, or at most the share `proven_share_max` of the loss by
// the choice of the nearest key; and in any case at most that share of the mean loss over all measured
// variants.
constexpr double proven_keys_min = 6.0;
constexpr double proven_loss_max = 0.05;
constexpr double proven_share_max = 0.5;
// Number of other keys from which the prior for the deviation of the residuals has its full weight.
constexpr double prior_keys = 4.0;

}  // namespace

double OperationModel::prediction_error() const noexcept {
  double variance = 0.0;
  double results = 0.0;
  for (const MeasuredKey& key : keys_)
    for (const Measured& m : key.results) {
      variance += m.variance;
      results += 1.0;
    }
  return std::sqrt(own_error_ * own_error_ + variance / std::max(results, 1.0));
}

bool OperationModel::speaks_of(const Key& key) const noexcept {
  if (!predicts_ || keys_.empty()) return false;
  if (keys_.size() >= keys_to_learn_from) return true;
  const double at = distance(dimensions_, key, keys_.front().key);
  return keys_.front().by_this_process ? std::isfinite(at) : at <= nearest_limit_;
}

double OperationModel::lost_by_nearest(const MeasuredKey& key, std::span<const Measured> results) const {
  const auto slower = [](const Measured& a, const Measured& b) { return a.location < b.location; };
  const double least = std::min_element(results.begin(), results.end(), slower)->location;
  double mean = 0.0;
  for (const Measured& m : results) mean += (m.location - least) / static_cast<double>(results.size());
  const MeasuredKey* nearest = nullptr;
  double nearest_at = nearest_limit_;
  for (const MeasuredKey& other : keys_) {
    if (other.key == key.key || other.results.empty()) continue;
    const double at = distance(dimensions_, key.key, other.key);
    if (!(at <= nearest_at) || (nearest != nullptr && at == nearest_at)) continue;
    nearest = &other;
    nearest_at = at;
  }
  if (nearest == nullptr) return mean;
  const std::uint32_t choice =
      std::min_element(nearest->results.begin(), nearest->results.end(), slower)->variant;
  const auto here =
      std::find_if(results.begin(), results.end(), [&](const Measured& m) { return m.variant == choice; });
  return here == results.end() ? mean : here->location - least;
}

// Estimates the errors of the model: compares the results of each key with what the model predicts without
// them.
void OperationModel::judge() {
  const std::size_t step = std::max<std::size_t>(1, keys_.size() / judged_max);
  VectorXd total = VectorXd::Zero(to_index(likeness_.combinations()));
  double level = 0.0;
  double levels = 0.0;
  double lost = 0.0;    // sum over the keys: the loss of the variant that the model expects to be the fastest
  double spread = 0.0;  // the same: the mean loss of the measured variants
  double lost_by_nearest_key = 0.0;
  double compared = 0.0;
  for (std::size_t j = 0; j < keys_.size(); j += step) {
    std::vector<Measured> results;
    for (const Measured& m : keys_[j].results)
      if (learns_from(m) && results.size() < judged_results_max) results.push_back(m);
    if (results.empty()) continue;
    std::vector<std::uint32_t> variants;
    std::vector<std::size_t> of_model;
    std::vector<std::size_t> at;
    for (const Measured& m : results) {
      at.push_back(variants.size());
      variants.push_back(m.variant);
      of_model.push_back(m.variant);
    }
    VectorXd mean;
    MatrixXd covariance;
    ModelFeatures::Point point = features_.point(keys_[j].key);
    const CostsByVariant costs(features_.estimated(), results);
    point.log_cost = costs.all();
    predict(point, variants, mean, covariance);
    take_out(results, at, mean, covariance);
    if (!predicts_ || keys_.size() < keys_to_learn_from) forget_others(mean, covariance);
    const Index n = to_index(results.size());
    VectorXd residual(n);
    for (Index a = 0; a < n; ++a) {
      residual(a) = results[static_cast<std::size_t>(a)].location - mean(a);
      covariance(a, a) += results[static_cast<std::size_t>(a)].variance;
    }
    const double off = residual.mean();
    level += std::max(0.0, off * off - covariance.mean());
    levels += 1.0;
    if (n < 2) continue;
    checked_ += static_cast<double>(n - 1);
    Index chosen = 0;
    mean.minCoeff(&chosen);
    const auto slower = [&](const Measured& a, const Measured& b) { return a.location < b.location; };
    const double least = std::min_element(results.begin(), results.end(), slower)->location;
    lost += results[static_cast<std::size_t>(chosen)].location - least;
    lost_by_nearest_key += lost_by_nearest(keys_[j], results);
    for (const Measured& m : results) spread += (m.location - least) / static_cast<double>(n);
    compared += 1.0;
    covariance.array() += level_variance;
    for (std::size_t c = 0; c < likeness_.combinations(); ++c)
      total(to_index(c)) += likeness_.log_likelihood(c, of_model, residual, covariance);
  }
  const double usual = std::max(proven_loss_max * compared, proven_share_max * lost_by_nearest_key);
  proven_ = predicts_ && compared >= proven_keys_min && lost <= std::min(usual, proven_share_max * spread);
  // The prior describes what a model of several keys leaves unexplained. With a single key, the residuals are
  // the whole differences between its variants, so that the prior does not count.
  likeness_.weigh(total, std::min(1.0, (levels - 1.0) / prior_keys));
  own_error_ = std::clamp(std::sqrt(likeness_.variance()), 0.01, 0.5);
  const double usual_level = level_error_weight * level_error_usual;
  level_error_ = std::clamp(
      std::sqrt((usual_level * level_error_usual + level) / (level_error_weight + levels)), 0.02, 1.0);
}

}  // namespace adaptive::core

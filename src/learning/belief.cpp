#include <adaptive/belief.hpp>

#include <algorithm>
#include <cmath>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1 {
namespace {

// Number of results beyond which the variance of a location no longer falls: the location forgets older
// results.
constexpr double results_max = 1024.0;
// Maximum weight, in results, of a candidate that has no result since the key's latencies changed.
constexpr double remembered_max = 2.0;
// A single result may be an outlier if it is above the prediction from the other candidates by at least this
// much log latency, and by at least this many standard deviations.
constexpr double doubt_min = 0.15;
constexpr double doubt_deviations = 2.0;
// Minimum number of candidates with results for a single result to be doubted; fewer suffice if the candidate
// has a prior from a table, a neighbour or a prediction.
constexpr std::size_t measured_min = 4;
constexpr std::size_t measured_min_with_prior = 2;
// Variance of log latency that is added to the only result of a candidate if first launches of the key are
// slow.
constexpr double cold_variance = 1.0;
// Weight, in results, of the assumption that the expectations are as accurate as they say.
constexpr double misfit_freedom = 4.0;
// Largest ratio of observed to expected squared errors that is put down to chance. Above it, the covariance
// of the expectations is scaled up.
constexpr double misfit_usual = 2.0;
constexpr float variance_min = 1e-10F;

double density(double z) noexcept {
  return 0.3989422804014327 * std::exp(-0.5 * z * z);
}

}  // namespace

void Belief::prepare(std::size_t candidates) {
  const std::size_t k = candidates;
  std::vector<float> covariance(k <= Expectations::correlated_max ? k * k : k);
  std::vector<float> location(k);
  std::vector<float> noise(k);
  std::vector<float> column(k);
  covariance_.swap(covariance);
  location_.swap(location);
  noise_.swap(noise);
  column_.swap(column);
  measured_ = 0;
}

double Belief::variance_between(std::size_t a, std::size_t b) const noexcept {
  const std::size_t k = location_.size();
  if (a == b) return 0.0;
  if (covariance_.size() == k) return double{covariance_[a]} + double{covariance_[b]};
  return std::max(0.0, double{covariance_[a * k + a]} + double{covariance_[b * k + b]} -
                           2.0 * double{covariance_[a * k + b]});
}

void Belief::start(const KeyStatistics& key) noexcept {
  const Expectations& expected = *key.expectations;
  std::copy(expected.covariance.begin(), expected.covariance.end(), covariance_.begin());
  std::copy(expected.location.begin(), expected.location.end(), location_.begin());
}

// Learns the level of the key, if it is unknown, from the first measured location. This is the limit of
// `learn` for a common error of infinite variance, written so that no large numbers cancel.
void Belief::learn_level(std::size_t candidate, double location, double noise) noexcept {
  const std::size_t k = location_.size();
  for (std::size_t i = 0; i < k; ++i) column_[i] = at(i, candidate);
  const float own = column_[candidate] + static_cast<float>(noise);
  const auto shift = static_cast<float>(location - double{location_[candidate]});
  for (std::size_t i = 0; i < k; ++i) {
    location_[i] += shift;
    for (std::size_t j = 0; j < k; ++j) at(i, j) += own - column_[i] - column_[j];
  }
}

// Conditions the belief on one measured location: a step of a Kalman filter.
void Belief::learn(std::size_t candidate, double location, double noise) noexcept {
  const std::size_t k = location_.size();
  for (std::size_t i = 0; i < k; ++i) column_[i] = at(i, candidate);
  const float total = std::max(column_[candidate], variance_min) + static_cast<float>(noise);
  const auto shift = static_cast<float>(location - double{location_[candidate]});
  for (std::size_t i = 0; i < k; ++i) {
    const float gain = column_[i] / total;
    location_[i] += gain * shift;
    float* row = &at(i, 0);
    for (std::size_t j = 0; j < k; ++j) row[j] -= gain * column_[j];
  }
}

void Belief::update(const KeyStatistics& key) noexcept {
  const std::size_t k = key.size();
  if (key.expectations == nullptr || location_.size() != k || key.expectations->location.size() != k) return;
  const bool cold = key.starts_cold();
  const double variance = key.deviation() * key.deviation();
  measured_ = 0;
  std::size_t first = k;
  for (std::size_t i = 0; i < k; ++i) {
    const VariantStatistics& c = key[i];
    noise_[i] = -1.0F;
    if (c.count == 0) continue;
    ++measured_;
    const double results =
        std::min(static_cast<double>(c.count), c.remembered ? remembered_max : results_max);
    noise_[i] = static_cast<float>(variance / results + (cold && c.count == 1 ? cold_variance : 0.0));
    if (first == k || noise_[i] < noise_[first]) first = i;
  }
  if (!key.expectations->correlated()) return update_apart(key);
  double misfit = learn_all(key, first, 1.0);
  if (doubt_outliers(key)) misfit = learn_all(key, first, 1.0);
  if (misfit > misfit_usual) learn_all(key, first, misfit);
}

// Starts from the expectations, with their covariance multiplied by `scale`, and learns all results, that of
// `first` before the others. Returns the ratio of observed to expected squared errors: the mean, over all
// results but the first, of the squared error of the prediction from the results before, in standard
// deviations, together with `misfit_freedom` results whose error is as expected.
double Belief::learn_all(const KeyStatistics& key, std::size_t first, double scale) noexcept {
  start(key);
  if (scale > 1.0)
    for (float& x : covariance_) x *= static_cast<float>(scale);
  const double level = key.expectations->level_deviation;
  if (level < 1.0)
    for (float& x : covariance_) x += static_cast<float>(level * level);
  if (measured_ == 0) return 1.0;
  // The first result mainly determines the level. Its error says nothing about the size of the others.
  if (level < 1.0)
    learn(first, key[first].location, double{noise_[first]});
  else
    learn_level(first, key[first].location, double{noise_[first]});
  double squares = misfit_freedom;
  double results = misfit_freedom;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (noise_[i] < 0.0F || i == first) continue;
    const double above = key[i].location - double{location_[i]};
    double square = above * above / double{std::max(at(i, i), variance_min) + noise_[i]};
    // A single result may have been an outlier: its squared error is limited to that of a normal error as
    // unlikely as such an outlier.
    if (key[i].count == 1 && above > 0.0)
      square = std::min(square, -2.0 * std::log(key.chance_late(above, 1.0)));
    squares += square;
    results += 1.0;
    learn(i, key[i].location, double{noise_[i]});
  }
  return squares / results;
}

// Reduces the weight of single results that the other candidates contradict, in proportion to the probability
// that they are outliers. Returns whether there are any. The prediction from the other candidates is the
// belief with the result removed again.
bool Belief::doubt_outliers(const KeyStatistics& key) noexcept {
  bool any = false;
  const double usual = key.deviation() * key.deviation();
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (measured_ < (key[i].has_prior() ? measured_min_with_prior : measured_min)) continue;
    if (key[i].count != 1 || double{noise_[i]} > 1.5 * usual)
      continue;  // a slow first launch is doubted already
    const double noise = double{noise_[i]};
    const double believed = double{at(i, i)};
    if (believed <= 0.0 || believed >= 0.9999 * noise) continue;
    const double variance = 1.0 / (1.0 / believed - 1.0 / noise);
    const double expected = variance * (double{location_[i]} / believed - key[i].location / noise);
    const double above = key[i].location - expected;
    const double deviation = std::sqrt(variance + noise);
    if (above < doubt_min || above < doubt_deviations * deviation) continue;
    const double outlier = key.expectations->noise.chance_of(above) / above;
    const double plain = density(above / deviation) / deviation;
    noise_[i] = static_cast<float>(noise + outlier / (outlier + plain) * above * above);
    any = true;
  }
  return any;
}

// For keys with too many candidates for a covariance matrix: estimates a common level from all results,
// weighted by their precision, and then each candidate by itself.
void Belief::update_apart(const KeyStatistics& key) noexcept {
  start(key);
  double weights = 0.0;
  double sum = 0.0;
  const double level = key.expectations->level_deviation;
  if (level < 1.0) weights = 1.0 / (level * level);
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (noise_[i] < 0.0F) continue;
    const double weight = 1.0 / (double{noise_[i]} + double{covariance_[i]});
    weights += weight;
    sum += weight * (key[i].location - double{location_[i]});
  }
  const double shift = weights > 0.0 ? sum / weights : 0.0;
  for (std::size_t i = 0; i < key.size(); ++i) {
    location_[i] += static_cast<float>(shift);
    if (noise_[i] < 0.0F) {
      covariance_[i] += static_cast<float>(weights > 0.0 ? 1.0 / weights : 1.0);
      continue;
    }
    const float gain = covariance_[i] / (covariance_[i] + noise_[i]);
    location_[i] += gain * static_cast<float>(key[i].location - double{location_[i]});
    covariance_[i] *= 1.0F - gain;
  }
}

}  // namespace adaptive

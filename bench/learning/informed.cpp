#include "informed.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include <adaptive/random.hpp>
#include "policies/models/value_of_looking.hpp"

namespace adaptive::learning_bench {
namespace {

using replay::Mean;
using replay::Recorded;

// Maximum number of variants: the permanent of a matrix with this many rows takes 2^12 · 12 products.
constexpr std::size_t variants_max = 12;
// A result far from all recorded ones is taken for an outlier, which any variant may have.
constexpr double outlier_share = 0.001;
constexpr double outlier_density = 0.05;
// Results further than this from their median do not count for the deviation. Means are computed from results
// clipped to this many deviations from the mean so far.
constexpr double deviation_reach = 0.15;
constexpr double clip_deviations = 4.0;
constexpr std::array<double, 4> shares = {0.15, 0.3, 0.6, 1.0};

std::vector<double> sorted_logs(const std::vector<double>& latencies_ns) {
  std::vector<double> logs;
  for (const double ns : latencies_ns) logs.push_back(std::log(ns));
  std::sort(logs.begin(), logs.end());
  return logs;
}

/// Deviation of recorded values without those that are far from their median.
double deviation_of(const std::vector<double>& sorted) {
  const double median = sorted[sorted.size() / 2];
  double sum = 0.0;
  double squares = 0.0;
  for (const double x : sorted) {
    const double z = std::clamp(x - median, -deviation_reach, deviation_reach);
    sum += z;
    squares += z * z;
  }
  const double n = static_cast<double>(sorted.size());
  return std::sqrt(std::max(squares / n - sum / n * sum / n, 1e-8));
}

class Density {
 public:
  explicit Density(const std::vector<double>& latencies_ns) : logs_(sorted_logs(latencies_ns)) {
    const std::size_t n = logs_.size();
    const double quartiles = (logs_[3 * n / 4] - logs_[n / 4]) / 1.34;
    const double spread = std::min(deviation_of(logs_), quartiles > 0.0 ? quartiles : 1.0);
    width_ = 0.9 * spread * std::pow(static_cast<double>(n), -0.2);
  }

  double log_at(double x) const {
    double sum = 0.0;
    for (const double y : logs_) sum += std::exp(-0.5 * (x - y) * (x - y) / (width_ * width_));
    sum /= static_cast<double>(logs_.size()) * width_ * std::sqrt(2.0 * std::numbers::pi);
    return std::log((1.0 - outlier_share) * sum + outlier_share * outlier_density);
  }

 private:
  std::vector<double> logs_;
  double width_ = 0.0;
};

/// The posterior over assignments of the recorded latencies to the variants.
class Assignment {
 public:
  explicit Assignment(const table::TraceKey& key) : size_(key.latency_ns.size()), evidence_(size_ * size_) {
    for (const std::vector<double>& latencies : key.latency_ns) densities_.emplace_back(latencies);
  }

  void forget() { std::fill(evidence_.begin(), evidence_.end(), 0.0); }

  void see(std::uint32_t variant, double latency_ns) {
    for (std::size_t j = 0; j < size_; ++j)
      evidence_[variant * size_ + j] += densities_[j].log_at(std::log(latency_ns));
  }

  /// The variant that most probably has the latencies of `which`. Sums over all assignments by dynamic
  /// programming over the set of latencies that the first variants take.
  std::uint32_t most_likely(std::uint32_t which) const {
    const std::vector<double> likelihood = likelihoods();
    const std::size_t sets = std::size_t{1} << size_;
    std::vector<double> before(sets, 0.0);
    std::vector<double> after(sets, 0.0);
    before[0] = after[sets - 1] = 1.0;
    for (std::size_t set = 0; set + 1 < sets; ++set)
      for_each_other(
          set, [&](std::size_t j, double l) { before[set | std::size_t{1} << j] += before[set] * l; },
          likelihood);
    for (std::size_t set = sets - 1; set-- > 0;)
      for_each_other(
          set, [&](std::size_t j, double l) { after[set] += l * after[set | std::size_t{1} << j]; },
          likelihood);
    std::vector<double> probability(size_, 0.0);
    const std::size_t bit = std::size_t{1} << which;
    for (std::size_t set = 0; set + 1 < sets; ++set) {
      if ((set & bit) != 0) continue;
      const auto variant = static_cast<std::size_t>(std::popcount(set));
      probability[variant] += before[set] * likelihood[variant * size_ + which] * after[set | bit];
    }
    return static_cast<std::uint32_t>(std::max_element(probability.begin(), probability.end()) -
                                      probability.begin());
  }

 private:
  std::vector<double> likelihoods() const {
    std::vector<double> result(evidence_);
    for (std::size_t i = 0; i < size_; ++i) {
      const auto row = result.begin() + static_cast<std::ptrdiff_t>(i * size_);
      const auto end = row + static_cast<std::ptrdiff_t>(size_);
      const double most = *std::max_element(row, end);
      std::transform(row, end, row, [&](double log) { return std::exp(log - most); });
    }
    return result;
  }

  // The next variant may take any latencies that are not in the set.
  template <class F>
  void for_each_other(std::size_t set, F&& f, const std::vector<double>& likelihood) const {
    const auto variant = static_cast<std::size_t>(std::popcount(set));
    for (std::size_t j = 0; j < size_; ++j)
      if ((set >> j & 1) == 0) f(j, likelihood[variant * size_ + j]);
  }

  std::size_t size_;
  std::vector<Density> densities_;
  std::vector<double> evidence_;  // log likelihood of each variant's results under each set of latencies
};

/// Explores by the knowledge gradient, with a known deviation.
class KnownNoise {
 public:
  explicit KnownNoise(const table::TraceKey& key) : size_(key.latency_ns.size()) {
    double variance = 0.0;
    for (const std::vector<double>& latencies : key.latency_ns) {
      const double deviation = deviation_of(sorted_logs(latencies));
      variance += deviation * deviation / static_cast<double>(size_);
    }
    deviation_ = std::sqrt(variance);
    forget();
  }

  void forget() {
    mean_.assign(size_, 0.0);
    count_.assign(size_, 0.0);
  }

  void see(std::uint32_t variant, double latency_ns) {
    double x = std::log(latency_ns);
    const double limit = clip_deviations * deviation_;
    if (count_[variant] > 0.0) x = std::clamp(x, mean_[variant] - limit, mean_[variant] + limit);
    count_[variant] += 1.0;
    mean_[variant] += (x - mean_[variant]) / count_[variant];
  }

  std::uint32_t next(double calls_to_come) const {
    const auto leader =
        static_cast<std::uint32_t>(std::min_element(mean_.begin(), mean_.end()) - mean_.begin());
    std::uint32_t best = leader;
    double most = 0.0;
    for (std::uint32_t i = 0; i < size_; ++i) {
      if (i == leader) continue;
      const double behind = mean_[i] - mean_[leader];
      const double change = deviation_ / std::sqrt(count_[i] * (count_[i] + 1.0));
      const double gain = policies::expected_gain(behind, change) * calls_to_come - behind;
      if (gain <= most) continue;
      most = gain;
      best = i;
    }
    return best;
  }

 private:
  std::size_t size_;
  double deviation_ = 0.0;
  std::vector<double> mean_;
  std::vector<double> count_;
};

// Runs `policy` over a key: tries each variant once, then runs what `choose` says at each call. Adds the loss
// at the checkpoints, in latencies of the best variant, to `overhead`.
template <class P, class F>
void add_run(Recorded& environment, P& policy, const std::vector<std::size_t>& checkpoints, F&& choose,
             double weight, std::vector<double>& overhead) {
  policy.forget();
  double lost = 0.0;
  std::size_t call = 0;
  for (std::size_t at = 0; at < checkpoints.size(); ++at) {
    for (; call < checkpoints[at]; ++call) {
      environment.advance();
      const std::uint32_t variant =
          call < environment.size() ? static_cast<std::uint32_t>(call) : choose(policy, call);
      lost += environment.gap(variant);
      policy.see(variant, environment.latency_ns(variant));
    }
    overhead[at] += weight * lost / static_cast<double>(checkpoints[at]);
  }
}

// Runs all keys `runs` times. `choose` gets the key's environment, a policy, and the number of calls so far.
template <class P, class F>
std::vector<Mean> all_keys(const std::vector<table::TraceKey>& keys, const BoundOptions& options,
                           const std::vector<std::size_t>& checkpoints, F&& choose) {
  std::vector<std::vector<double>> overhead(options.runs, std::vector<double>(checkpoints.size(), 0.0));
  Random random(options.seed);
  for (const table::TraceKey& key : keys) {
    Recorded environment(key, options.order, options.truth);
    P policy(key);
    for (std::vector<double>& of_run : overhead) {
      environment.restart(random());
      add_run(
          environment, policy, checkpoints,
          [&](const P& p, std::size_t call) { return choose(environment, p, call); },
          1.0 / static_cast<double>(keys.size()), of_run);
    }
  }
  std::vector<Mean> result(checkpoints.size());
  for (const std::vector<double>& of_run : overhead)
    for (std::size_t at = 0; at < checkpoints.size(); ++at) result[at].add(of_run[at]);
  return result;
}

}  // namespace

std::vector<Mean> told_latencies(const std::vector<table::TraceKey>& keys, const BoundOptions& options) {
  for (const table::TraceKey& key : keys)
    if (key.latency_ns.size() > variants_max) return {};
  return all_keys<Assignment>(keys, options, options.checkpoints,
                              [](const Recorded& environment, const Assignment& assignment, std::size_t) {
                                return assignment.most_likely(environment.best());
                              });
}

std::vector<Mean> told_noise(const std::vector<table::TraceKey>& keys, const BoundOptions& options) {
  std::vector<Mean> result;
  for (const std::size_t calls : options.checkpoints) {
    std::vector<Mean> of_shares;
    for (const double share : shares)
      of_shares.push_back(
          all_keys<KnownNoise>(keys, options, {calls},
                               [&](const Recorded&, const KnownNoise& noise, std::size_t call) {
                                 return noise.next(share * static_cast<double>(calls - call));
                               })
              .front());
    result.push_back(*std::min_element(of_shares.begin(), of_shares.end(),
                                       [](const Mean& a, const Mean& b) { return a.mean() < b.mean(); }));
  }
  return result;
}

}  // namespace adaptive::learning_bench

#include "peers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "base/statistics/normal.hpp"
#include "replay/policies.hpp"

namespace adaptive::learning_bench {
namespace {

/// The candidate with the smallest `value`; the first one if several are equal.
template <class Value>
std::uint32_t least(const KeyStatistics& key, Value&& value) {
  std::uint32_t best = key.incumbent;
  double at = std::numeric_limits<double>::infinity();
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available) continue;
    const double here = value(i);
    if (here < at) {
      at = here;
      best = i;
    }
  }
  return best;
}

double mean(const KeyStatistics& key, std::uint32_t i) {
  return key[i].mean_ns;
}

std::uint64_t launches(const VariantStatistics& c) {
  return c.total_count + c.pending;
}

/// The candidate with the fewest launches, if it has fewer than `samples`.
std::optional<std::uint32_t> wanting(const KeyStatistics& key, std::uint64_t samples) {
  const std::uint32_t fewest =
      least(key, [&](std::uint32_t i) { return static_cast<double>(launches(key[i])); });
  if (launches(key[fewest]) >= samples) return std::nullopt;
  return fewest;
}

/// A policy that is consulted at every call.
class Peeking : public Policy {
 public:
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override {
    return {least(key, [&](std::uint32_t i) { return key[i].total_count > 0 ? mean(key, i) : 1e300; }), 1.0};
  }
};

/// Launches each candidate `samples` times and then always runs the one with the smallest mean or minimum.
class Commit final : public Peeking {
 public:
  enum class By { mean, minimum };
  Commit(std::uint64_t samples, By by) : samples_(samples), by_(by) {}

  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    if (committed_ >= key.size()) {
      if (const auto next = wanting(key, samples_)) return {*next, true};
      committed_ =
          least(key, [&](std::uint32_t i) { return by_ == By::mean ? mean(key, i) : key[i].minimum_ns; });
    }
    return {committed_, true};
  }

 private:
  std::uint64_t samples_;
  By by_;
  std::uint32_t committed_ = ~std::uint32_t{0};
};

/// Launches each candidate once and then always runs the one with the smallest moving average. Only a
/// candidate's own launches change its average.
class MovingAverage final : public Peeking {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    if (const auto next = wanting(key, 1)) return {*next, true};
    average_.resize(key.size(), 0.0);
    return {least(key, [&](std::uint32_t i) { return average_[i]; }), true};
  }
  void observe(KeyStatistics& key, const Sample& sample) noexcept override {
    average_.resize(key.size(), 0.0);
    double& average = average_[sample.candidate];
    const double ns = std::exp(sample.log_latency);
    average = average == 0.0 ? ns : average + weight * (ns - average);
  }

 private:
  static constexpr double weight = 0.1;
  std::vector<double> average_;
};

/// Runs a random candidate for a few calls in each exploration period; otherwise runs the candidate whose
/// latest stretch of calls was fastest.
class VwGreedy final : public Peeking {
 public:
  Choice choose(const KeyStatistics& key, Random& random) noexcept override {
    latest_.resize(key.size(), 0.0);
    if (const auto next = wanting(key, explore_length)) return {*next, true};
    if (left_ == 0) {
      const bool explores = calls_ % explore_period < exploit_period;
      running_ = explores ? random.below(static_cast<std::uint32_t>(key.size()))
                          : least(key, [&](std::uint32_t i) { return latest_[i]; });
      left_ = explores ? explore_length : exploit_period;
      sum_ = 0.0;
      taken_ = 0;
    }
    --left_;
    ++calls_;
    return {running_, true};
  }
  void observe(KeyStatistics& key, const Sample& sample) noexcept override {
    latest_.resize(key.size(), 0.0);
    if (sample.candidate != running_) {
      running_ = sample.candidate;
      sum_ = 0.0;
      taken_ = 0;
    }
    sum_ += std::exp(sample.log_latency);
    latest_[sample.candidate] = sum_ / ++taken_;
  }

 private:
  static constexpr std::uint64_t explore_period = 1024;
  static constexpr std::uint64_t exploit_period = 8;
  static constexpr std::uint64_t explore_length = 2;
  std::vector<double> latest_;
  std::uint64_t calls_ = 0;
  std::uint64_t left_ = 0;
  std::uint32_t running_ = ~std::uint32_t{0};
  double sum_ = 0.0;
  int taken_ = 0;
};

/// The reward is 1 − latency / the longest latency so far.
class Ucb1 final : public Peeking {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    if (const auto next = wanting(key, 1)) return {*next, true};
    return {least(key,
                  [&](std::uint32_t i) {
                    const double n = static_cast<double>(key[i].total_count);
                    return mean(key, i) / longest_ns_ - std::sqrt(2.0 * std::log(key.calls) / n);
                  }),
            true};
  }
  void observe(KeyStatistics&, const Sample& sample) noexcept override {
    longest_ns_ = std::max(longest_ns_, std::exp(sample.log_latency));
  }

 private:
  double longest_ns_ = 0.0;
};

/// Uses the index of a Gaussian with estimated variance, after two launches of each candidate.
class GaussianKlUcb final : public Peeking {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    if (const auto next = wanting(key, 2)) return {*next, true};
    return {least(key,
                  [&](std::uint32_t i) {
                    const double n = static_cast<double>(key[i].total_count);
                    return mean(key, i) - std::sqrt(2.0 * key[i].variance_ns() * std::log(key.calls) / n);
                  }),
            true};
  }
};

/// Draws from the posterior of a Gaussian with unknown mean and variance under a weak prior.
class NormalGamma final : public Peeking {
 public:
  Choice choose(const KeyStatistics& key, Random& random) noexcept override {
    if (const auto next = wanting(key, 2)) return {*next, true};
    return {least(key, [&](std::uint32_t i) { return draw(key[i], random); }), true};
  }

 private:
  static double draw(const VariantStatistics& c, Random& random) {
    const double n = static_cast<double>(c.total_count);
    // A draw from Student's t distribution with n - 1 degrees of freedom: a normal draw over the root of a
    // scaled chi-squared draw.
    double squares = 0.0;
    const auto degrees = static_cast<std::uint64_t>(std::min(n - 1.0, 200.0));
    for (std::uint64_t d = 0; d < degrees; ++d) {
      const double z = core::normal(random);
      squares += z * z;
    }
    const double t = core::normal(random) / std::sqrt(squares / static_cast<double>(degrees));
    return c.mean_ns + t * std::sqrt(c.variance_ns() / n);
  }
};

/// A tournament over all candidates. Two candidates are compared on samples of equal size, drawn without
/// replacement.
class Besa final : public Peeking {
 public:
  Choice choose(const KeyStatistics& key, Random& random) noexcept override {
    history_.resize(key.size());
    if (const auto next = wanting(key, 1)) return {*next, true};
    std::vector<std::uint32_t> round(key.size());
    for (std::uint32_t i = 0; i < key.size(); ++i) round[i] = i;
    for (std::size_t i = round.size(); i > 1; --i)
      std::swap(round[i - 1], round[random.below(static_cast<std::uint32_t>(i))]);
    std::uint32_t winner = round[0];
    for (std::size_t i = 1; i < round.size(); ++i) winner = match(winner, round[i], random);
    return {winner, true};
  }
  void observe(KeyStatistics& key, const Sample& sample) noexcept override {
    history_.resize(key.size());
    history_[sample.candidate].push_back(std::exp(sample.log_latency));
  }

 private:
  std::uint32_t match(std::uint32_t a, std::uint32_t b, Random& random) {
    if (history_[a].size() > history_[b].size()) std::swap(a, b);
    const std::size_t size = history_[a].size();
    double of_a = 0.0;
    for (const double ns : history_[a]) of_a += ns;
    // The first places of a partial shuffle are a draw without replacement, whatever the previous order.
    std::vector<double>& many = history_[b];
    double of_b = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      std::swap(many[i], many[i + random.below(static_cast<std::uint32_t>(many.size() - i))]);
      of_b += many[i];
    }
    return of_a <= of_b ? a : b;
  }

  std::vector<std::vector<double>> history_;
};

/// Runs a random candidate in one of ten calls.
class RawEpsilonGreedy final : public Peeking {
 public:
  Choice choose(const KeyStatistics& key, Random& random) noexcept override {
    if (const auto next = wanting(key, 1)) return {*next, true};
    if (random.uniform() < 0.1) return {random.below(static_cast<std::uint32_t>(key.size())), true};
    return {least(key, [&](std::uint32_t i) { return mean(key, i); }), true};
  }
};

template <class P, class... Arguments>
PolicyFactory make(Arguments... arguments) {
  return [=] { return std::make_unique<P>(arguments...); };
}

}  // namespace

const std::vector<Peer>& peers() {
  static const std::vector<Peer> all = {
      {"first-10-mean", "model of FlashInfer's autotuner: the mean of 10 launches decides for good",
       make<Commit>(std::uint64_t{10}, Commit::By::mean)},
      {"first-100-mean",
       "model of PyTorch TunableOp at its longest: the mean of 100 launches decides for good",
       make<Commit>(std::uint64_t{100}, Commit::By::mean)},
      {"first-3-minimum", "model of tuning scripts: the minimum of 3 launches decides for good",
       make<Commit>(std::uint64_t{3}, Commit::By::minimum)},
      {"first-1-minimum", "one launch of each variant decides for good",
       make<Commit>(std::uint64_t{1}, Commit::By::minimum)},
      {"moving-average",
       "one launch of each variant, then the lowest exponential moving average (weight 0.1)",
       make<MovingAverage>()},
      {"vw-greedy", "Raducanu, Boncz, Zukowski, \"Micro adaptivity in Vectorwise\", SIGMOD 2013",
       make<VwGreedy>()},
      {"ucb1", "Auer, Cesa-Bianchi, Fischer, Machine Learning 47, 2002", make<Ucb1>()},
      {"gaussian-kl-ucb", "Cappé, Garivier, Maillard, Munos, Stoltz, Annals of Statistics 41, 2013",
       make<GaussianKlUcb>()},
      {"normal-gamma", "Thompson sampling: Honda, Takemura, AISTATS 2014", make<NormalGamma>()},
      {"besa", "Baransi, Maillard, Mannor, ECML 2014", make<Besa>()},
      {"raw-epsilon-greedy", "ε = 0.1 on plain means", make<RawEpsilonGreedy>()},
  };
  return all;
}

PolicyFactory policy_of_name(std::string_view name) {
  for (const Peer& peer : peers())
    if (peer.name == name) return peer.make;
  return replay::make_policy(name);
}

}  // namespace adaptive::learning_bench

#include "replay/environment.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace adaptive::replay {

void Environment::set_means(std::vector<double> means) {
  means_ = std::move(means);
  best_ = static_cast<std::uint32_t>(std::min_element(means_.begin(), means_.end()) - means_.begin());
}

Synthetic::Synthetic(SyntheticOptions options, std::uint64_t seed)
    : options_(std::move(options)), noise_(options_.noise, seed) {
  restart(seed);
}

void Synthetic::restart(std::uint64_t seed) {
  Random random(seed);
  std::vector<double> means(options_.variants);
  const double steps = static_cast<double>(std::max<std::size_t>(options_.variants, 2) - 1);
  for (std::size_t i = 0; i < means.size(); ++i)
    means[i] = options_.least_ns * std::pow(options_.spread, static_cast<double>(i) / steps);
  for (std::size_t i = means.size(); i > 1; --i)
    std::swap(means[i - 1], means[random.below(static_cast<std::uint32_t>(i))]);
  set_means(std::move(means));
  noise_ = Noise(options_.noise, random());
  next_call_ = 0;
  warm_.assign(size(), options_.cold == 1.0 && options_.cold_ns == 0.0);
}

void Synthetic::advance() {
  for (const Change& change : options_.changes)
    if (change.call <= next_call_ && next_call_ < change.call + change.over) apply(change);
  ++next_call_;
  factor_ = noise_.next();
}

double Synthetic::launch(std::uint32_t variant) {
  if (warm_[variant]) return latency_ns(variant);
  warm_[variant] = true;
  return latency_ns(variant) * options_.cold + factor_ * options_.cold_ns;
}

void Synthetic::apply(const Change& change) {
  if (change.call == next_call_) {
    order_.resize(size());
    std::iota(order_.begin(), order_.end(), 0U);
    std::sort(order_.begin(), order_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return mean(a) < mean(b); });
  }
  const double factor = std::pow(change.factor, 1.0 / static_cast<double>(change.over));
  std::vector<double> means(size());
  for (std::uint32_t i = 0; i < means.size(); ++i) means[i] = mean(i) * (hits(change, i) ? factor : 1.0);
  set_means(std::move(means));
}

bool Synthetic::hits(const Change& change, std::uint32_t variant) const {
  switch (change.whose) {
    case Change::Whose::best:
      return variant == order_[0];
    case Change::Whose::third:
      return variant == order_[std::min<std::size_t>(2, size() - 1)];
    case Change::Whose::all:
      return true;
  }
  return false;
}

}  // namespace adaptive::replay

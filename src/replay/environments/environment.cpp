#include "replay/environments/environment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/statistics/normal.hpp"

namespace adaptive::inline v1::replay {
namespace {

using Coordinates = std::array<std::uint32_t, 3>;

// Four tiles, three numbers of stages, two of warps, over and over.
Coordinates coordinates(std::uint32_t variant) {
  return {variant % 4, variant / 4 % 3, variant / 12 % 2};
}

// Places from 0 for the fastest to 1 for the slowest.
std::vector<double> shuffled(const SyntheticOptions& options, Random& random) {
  std::vector<double> places(options.variants);
  const double steps = static_cast<double>(std::max<std::size_t>(options.variants, 2) - 1);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<double>(i) / steps;
  if (options.likeness == Likeness::broken)
    for (std::size_t i = 1; i < places.size(); ++i) places[i] = 0.8 + 0.2 * places[i];
  for (std::size_t i = places.size(); i > 1; --i)
    std::swap(places[i - 1], places[random.below(static_cast<std::uint32_t>(i))]);
  return places;
}

std::vector<double> alike(std::size_t variants, Random& random) {
  std::array<double, 3> best{};
  std::array<double, 3> slope{};
  for (std::size_t d = 0; d < best.size(); ++d) {
    best[d] = 3.0 * random.uniform();
    slope[d] = 0.1 + 0.4 * random.uniform();
  }
  std::vector<double> places;
  for (std::uint32_t i = 0; i < variants; ++i) {
    double& place = places.emplace_back(0.03 * core::normal(random));
    for (std::size_t d = 0; d < best.size(); ++d) place += slope[d] * std::abs(coordinates(i)[d] - best[d]);
  }
  const auto [least, most] = std::minmax_element(places.begin(), places.end());
  const double from = *least;
  const double range = std::max(*most - from, 1e-9);
  for (double& place : places) place = (place - from) / range;
  return places;
}

}  // namespace

void Environment::set_means(std::vector<double> means) {
  means_ = std::move(means);
  best_ = static_cast<std::uint32_t>(std::min_element(means_.begin(), means_.end()) - means_.begin());
}

Synthetic::Synthetic(SyntheticOptions options, std::uint64_t seed)
    : options_(std::move(options)), noise_(options_.noise, seed) {
  restart(seed);
}

void Synthetic::restart(std::uint64_t seed, std::uint64_t draw) {
  Random random(seed);
  std::vector<double> means =
      options_.likeness == Likeness::real ? alike(options_.variants, random) : shuffled(options_, random);
  for (double& mean : means) mean = options_.least_ns * std::pow(options_.spread, mean);
  set_means(std::move(means));
  noise_ = Noise(options_.noise, seed_of_draw(random(), draw));
  next_call_ = 0;
  phase_ = 0;
  if (options_.interference.period > 0)
    phase_ =
        Random(seed_of_draw(random(), draw)).below(static_cast<std::uint32_t>(options_.interference.period));
  warm_.assign(size(), options_.cold == 1.0 && options_.cold_ns == 0.0);
}

Parameters Synthetic::variant_parameters(std::uint32_t variant) const {
  if (options_.likeness == Likeness::unknown) return {};
  const auto [tile, stages, warps] = coordinates(variant);
  return {{"tile", 16U << tile}, {"stages", 2U + stages}, {"warps", 4U << warps}};
}

void Synthetic::advance() {
  for (const Change& change : options_.changes)
    if (change.call <= next_call_ && next_call_ < change.call + change.over) apply(change);
  factor_ = noise_.next();
  const Interference& other = options_.interference;
  if (other.period > 0 && (phase_ + next_call_) % other.period < other.calls) factor_ *= other.factor;
  ++next_call_;
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

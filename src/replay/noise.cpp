#include "replay/noise.hpp"

#include <cmath>
#include <numbers>

namespace adaptive::inline v1::replay {

double normal(Random& random) noexcept {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * random.uniform());
}

std::uint64_t seed_of_draw(std::uint64_t seed, std::uint64_t draw) noexcept {
  return draw == 0 ? seed : Random(seed ^ Random(draw)())();
}

Noise::Noise(const NoiseModel& model, std::uint64_t seed) noexcept
    : model_(model),
      random_(seed),
      clock_step_(model.clock_deviation *
                  std::sqrt(1.0 - model.clock_correlation * model.clock_correlation)) {
  clock_ = model_.clock_deviation * normal(random_);  // stationary from the first call
}

double Noise::next() noexcept {
  clock_ = model_.clock_correlation * clock_ + clock_step_ * normal(random_);
  double log = clock_ + model_.deviation * normal(random_) - model_.skew * std::log(1.0 - random_.uniform());
  if (random_.uniform() < model_.outlier_share)
    log += std::log(model_.outlier_min) +
           random_.uniform() * (std::log(model_.outlier_max) - std::log(model_.outlier_min));
  return std::exp(log);
}

}  // namespace adaptive::replay

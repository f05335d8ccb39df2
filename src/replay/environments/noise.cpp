#include "replay/environments/noise.hpp"

#include <cmath>

#include "base/statistics/normal.hpp"

namespace adaptive::inline v1::replay {

std::uint64_t seed_of_draw(std::uint64_t seed, std::uint64_t draw) noexcept {
  return draw == 0 ? seed : Random(seed ^ Random(draw)())();
}

Noise::Noise(const NoiseModel& model, std::uint64_t seed) noexcept
    : model_(model),
      random_(seed),
      clock_step_(model.clock_deviation *
                  std::sqrt(1.0 - model.clock_correlation * model.clock_correlation)) {
  clock_ = model_.clock_deviation * core::normal(random_);  // stationary from the first call
}

double Noise::next() noexcept {
  clock_ = model_.clock_correlation * clock_ + clock_step_ * core::normal(random_);
  double log =
      clock_ + model_.deviation * core::normal(random_) - model_.skew * std::log(1.0 - random_.uniform());
  if (random_.uniform() < model_.outlier_share)
    log += std::log(model_.outlier_min) +
           random_.uniform() * (std::log(model_.outlier_max) - std::log(model_.outlier_min));
  return std::exp(log);
}

}  // namespace adaptive::replay

// A confidence interval for a mean that stays valid no matter how often it is checked.
#pragma once

#include <cmath>

namespace adaptive::inline v1::core {

/// Half the width of a confidence sequence for the mean of `n` > 0 results with known standard deviation. All
/// intervals of the sequence, for every n, contain the mean together with probability 1 - `error`. Source:
/// the normal mixture boundary of Robbins, in the form of Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform,
/// nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021), eq. 14.
inline double mixture_radius(double n, double deviation, double error) noexcept {
  constexpr double mixture = 2.0;  // number of results around which the sequence is narrowest
  return deviation * std::sqrt((n + mixture) / (n * n) * std::log((n + mixture) / (mixture * error * error)));
}

}  // namespace adaptive::core

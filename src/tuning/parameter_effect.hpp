// Finds out which parameters of the variants matter.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tuning/race.hpp"

namespace adaptive::inline v1::tuning {

struct ValueEffect {
  std::string value = {};  ///< as printed by to_string of parameters
  /// Latency of the best candidate with this value, divided by that of the best candidate: the geometric mean
  /// over the shapes where a candidate has the value. 1 means that using only this value loses nothing.
  double slowdown = 1.0;
  std::size_t shapes = 0;  ///< shapes where a candidate has the value
  std::size_t wins = 0;    ///< shapes whose winner has the value
};

struct ParameterEffect {
  std::string parameter = {};
  /// Share of the variance of log latency within the shapes that the parameter alone explains, 0 to 1 (the
  /// correlation ratio η² of the analysis of variance).
  double share = 0.0;
  std::vector<ValueEffect> values = {};  ///< sorted by slowdown, smallest first
};

/// The parameters that have at least two values in one shape, the most important first.
std::vector<ParameterEffect> parameter_effects(const std::vector<RaceResult>& races);

}  // namespace adaptive::tuning

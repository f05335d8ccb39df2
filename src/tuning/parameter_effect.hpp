// Which parameters of the variants matter.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tuning/race.hpp"

namespace adaptive::tuning {

struct ValueEffect {
  std::string value = {};  ///< as to_string of parameters has it
  /// Geometric mean, over the shapes where a candidate has the value, of the latency of the best such
  /// candidate against the best of all: 1 where nothing is lost by having no other value.
  double slowdown = 1.0;
  std::size_t shapes = 0;  ///< that those are
  std::size_t wins = 0;    ///< shapes whose winner has it
};

struct ParameterEffect {
  std::string parameter = {};
  /// Share of the variance of the log latencies within the shapes that the parameter's values account for
  /// alone, 0 to 1 (the correlation ratio η² of the analysis of variance).
  double share = 0.0;
  std::vector<ValueEffect> values = {};  ///< least slowdown first
};

/// Parameters with at least two values in one shape, most important first.
std::vector<ParameterEffect> parameter_effects(const std::vector<RaceResult>& races);

}  // namespace adaptive::tuning

// The charts of a tuning report, as SVG for a page that brings the colours by class.
#pragma once

#include <string>
#include <vector>

#include "tuning/parameter_effect.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

/// Shapes by variants: each cell's colour is the latency against the shape's best. At most `variants_max`
/// columns, those that come nearest to the best somewhere; `left_out` says how many more there are.
std::string heat_map(const std::vector<tuning::TunedShape>& shapes, std::size_t variants_max,
                     std::size_t& left_out);

/// A bar a shape: share of the default's latency saved, with its confidence.
std::string gain_chart(const std::vector<tuning::TunedShape>& shapes);

/// A bar a parameter: share of the variance of latencies that it accounts for.
std::string effect_chart(const std::vector<tuning::ParameterEffect>& effects);

}  // namespace adaptive::cli

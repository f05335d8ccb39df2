// The charts of a tuning report, as SVG. The page defines their colours by class.
#pragma once

#include <string>
#include <vector>

#include "tuning/parameter_effect.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

/// A figure of that size in pixels. `label` says what it shows to those who cannot see it.
std::string svg(double width, double height, const std::string& label, const std::string& body);

/// A map of shapes by variants. The colour of a cell shows the latency relative to the shape's best. Has at
/// most `variants_max` columns, for the variants that come nearest to the best of a shape; `left_out` is the
/// number of the other variants.
std::string heat_map(const std::vector<tuning::TunedShape>& shapes, std::size_t variants_max,
                     std::size_t& left_out);

/// One bar for each shape: the share of the default's latency that is saved, with its confidence interval.
std::string gain_chart(const std::vector<tuning::TunedShape>& shapes);

/// One bar for each parameter: the share of the variance of latencies that the parameter explains.
std::string effect_chart(const std::vector<tuning::ParameterEffect>& effects);

}  // namespace adaptive::cli

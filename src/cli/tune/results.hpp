// Prints the results of a tuning run, for people and for programs.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

/// Prints one line for each shape: best variant, its latency, the default's, gain, confidence, trials.
void print_results(const tuning::TuneResult& result, std::ostream& out);

/// The confidence in the gain over the default: "sure", "unsure" if the gain is within the noise, or "tie" if
/// another candidate may be as good. Only for a shape that has a winner.
std::string_view confidence(const tuning::TunedShape& shape);

/// Returns for example "5 failed: 3 out_of_memory, 2 wrong"; empty if nothing failed.
std::string failure_summary(const tuning::TuneResult& result);

nlohmann::ordered_json tuned_shape_json(const tuning::TunedShape& shape);

}  // namespace adaptive::cli

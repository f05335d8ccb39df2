// What a tuning run found, for people and for programs.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

/// One line a shape: best variant, its latency, the default's, gain, confidence, trials.
void print_results(const tuning::TuneResult& result, std::ostream& out);

/// Of the gain over the default: "sure", "unsure" where it is within the noise, or "tie" where another
/// candidate may be as good. Only for a shape that has a winner.
std::string_view confidence(const tuning::TunedShape& shape);

/// "5 failed: 3 out_of_memory, 2 wrong"; empty where nothing failed.
std::string failure_summary(const tuning::TuneResult& result);

nlohmann::ordered_json tuned_shape_json(const tuning::TunedShape& shape);

}  // namespace adaptive::cli

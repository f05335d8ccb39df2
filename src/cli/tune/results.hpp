// What a tuning run found, for people and for programs.
#pragma once

#include <iosfwd>
#include <string>

#include <nlohmann/json.hpp>

#include "tuning/tuner.hpp"

namespace adaptive::cli {

/// One line a shape: best variant, its latency, the default's, gain, confidence, trials.
void print_results(const tuning::TuneResult& result, std::ostream& out);

/// "5 failed: 3 out_of_memory, 2 wrong"; empty where nothing failed.
std::string failure_summary(const tuning::TuneResult& result);

nlohmann::ordered_json tuned_shape_json(const tuning::TunedShape& shape);

}  // namespace adaptive::cli

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/cuda/interleaved/interleaved.hpp"

namespace adaptive::bench {

/// What every benchmark of a family is told: --out FILE.jsonl (required), --tokens N[,N…], --samples N,
/// --prune F.
struct FamilyOptions {
  std::string out;
  std::vector<std::int64_t> tokens = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
  Interleaved::Options sampling;
};

/// From "--option value" pairs. `own` is asked for what is not said above, and says whether it knows the
/// option. Throws std::invalid_argument.
FamilyOptions parse_options(
    const std::vector<std::string>& arguments,
    const std::function<bool(const std::string& option, const std::string& value)>& own);

/// "a,b" to {"a", "b"}.
std::vector<std::string> split(const std::string& text, char separator = ',');

/// Throws std::invalid_argument where the text is no number of at least 0.
double parse_number(const std::string& option, const std::string& text);

}  // namespace adaptive::bench

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/cuda/interleaved/interleaved.hpp"

namespace adaptive::bench {

/// Options of every benchmark of a family: --out FILE.jsonl (required), --tokens N[,N…], --samples N, --prune
/// F.
struct FamilyOptions {
  std::string out;
  std::vector<std::int64_t> tokens = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
  Interleaved::Options sampling;
};

/// Parses pairs "--option value". Calls `own` for each option that is not in the list above; `own` returns
/// whether it knows the option. Throws std::invalid_argument.
FamilyOptions parse_options(
    const std::vector<std::string>& arguments,
    const std::function<bool(const std::string& option, const std::string& value)>& own);

/// Splits "a,b" into {"a", "b"}.
std::vector<std::string> split(const std::string& text, char separator = ',');

/// Throws std::invalid_argument if the text is not a number of at least 0.
double parse_number(const std::string& option, const std::string& text);

}  // namespace adaptive::bench

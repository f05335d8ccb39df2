// Prints tables for people and JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"
#include "runner.hpp"

namespace adaptive::loop_bench {

struct Mode {
  std::string name;
  std::string text;
  std::vector<Outcome> rounds = {};
};

/// Ratio to `reference`, computed round by round, because both modes then ran under the same conditions.
struct Ratio {
  double mean = 0, lowest = 0, highest = 0;
};
Ratio ratio(const Mode& mode, const Mode& reference);

void print_shapes(const Runner& runner);
void print(const Runner& runner, const std::vector<Mode>& modes, const Mode& best);
void write_json(const Options& options, const Runner& runner, const std::vector<Mode>& modes);

}  // namespace adaptive::loop_bench

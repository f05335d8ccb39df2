// Properties: RapidCheck's random inputs are the same in every run.
#pragma once

#include <cstdlib>
#include <string>

#include "tests/base/effort.hpp"

namespace adaptive::test {

/// Call it before the first property of a program is tested: `const bool same = same_inputs(100);` beside the
/// property. RapidCheck then tries `number` inputs (a part of them in a build with sanitizers) from a fixed
/// seed. RapidCheck's own variable RC_PARAMS, if it is set, decides instead.
inline bool same_inputs(int number, int part = 5) {
  const std::string parameters = "seed=20260131 max_success=" + std::to_string(inputs(number, part));
  return ::setenv("RC_PARAMS", parameters.c_str(), 0) == 0;
}

}  // namespace adaptive::test
